import { readFileSync } from "node:fs";
import { errorMessage, RowhouseError } from "../lib/errors.ts";

/** What a command has to know of what PostgREST serves, and how. */
export interface PostgrestConf {
  /** The schemas that are served; the first is the default one. */
  readonly schemas: readonly string[];
  /** Whether it names these schemas; else they are PostgREST's default. */
  readonly namesSchemas: boolean;
  /** The schemas on the search path of a request after the one that it is for. */
  readonly extraSearchPath: readonly string[];
  /** The role of a request without a token; undefined when such requests are refused. */
  readonly anonRole: string | undefined;
  /** The function that runs before every request, with its schema. */
  readonly preRequest: string | undefined;
  /** Where a token names its role: ".role" unless another claim is named. */
  readonly roleClaim: string;
  /** Whether PostgREST before 14 keeps the tokens that it has checked. */
  readonly jwtCache: boolean;
}

type Value = string | number | boolean;

/**
 * Reads how PostgREST is configured by its configuration file and by PGRST_* variables, which win.
 * Settings of the database (`pgrst.*`), which win over both, are not looked at: see api-names.ts.
 *
 * @param file Undefined when there is none: PostgREST's own defaults hold.
 * @throws RowhouseError settings_invalid, naming the line that cannot be read.
 */
export function readPostgrestConf(
  file: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): PostgrestConf {
  const values = file === undefined ? new Map() : parsePostgrestConf(readText(file), file);
  // PostgREST knows each key by its old name, too.
  const given = (...names: string[]) =>
    names.map((name) => env[variableOf(name)]).find(Boolean) ??
    names.map((name) => values.get(name)).find((value) => value !== undefined && value !== "");
  const text = (value: Value | undefined) => (value === undefined ? undefined : String(value));
  const schemas = given("db-schemas", "db-schema");
  return {
    schemas: listOf(String(schemas ?? "public")),
    namesSchemas: schemas !== undefined,
    extraSearchPath: listOf(String(given("db-extra-search-path") ?? "public")),
    anonRole: text(given("db-anon-role")),
    preRequest: text(given("db-pre-request", "pre-request")),
    roleClaim: String(given("jwt-role-claim-key", "role-claim-key") ?? ".role"),
    jwtCache: Number(given("jwt-cache-max-lifetime") ?? 0) > 0,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new RowhouseError(
      "settings_invalid",
      `Could not read ${file}: ${errorMessage(error)}.`,
      "Restore postgrest.conf: it configures PostgREST.",
      { cause: error },
    );
  }
}

function variableOf(key: string): string {
  return `PGRST_${key.toUpperCase().replaceAll(/[-.]/g, "_")}`;
}

/** The names in a list that is separated by commas, as PostgREST reads it. */
export function listOf(value: string): string[] {
  return value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/**
 * Parses a configuration file of PostgREST: a line is blank, a comment, or `key = value`, where
 * the value is a "string", a number, or true or false.
 *
 * @param file Its name, for messages.
 * @throws RowhouseError settings_invalid
 */
export function parsePostgrestConf(text: string, file: string): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const [, key, written = ""] = /^\s*([A-Za-z][\w.-]*)\s*=\s*(.*)$/.exec(line) ?? [];
    const value = key === undefined ? undefined : parseValue(written);
    if (key === undefined || value === undefined) throw unreadable(file, index + 1, line);
    values.set(key, value);
  });
  return values;
}

function parseValue(written: string): Value | undefined {
  const [, string, bare] = /^(?:"((?:[^"\\]|\\.)*)"|([\w.+-]+))\s*(?:#.*)?$/.exec(written) ?? [];
  if (string !== undefined) return unescaped(string);
  if (/^(true|on)$/i.test(bare ?? "")) return true;
  if (/^(false|off)$/i.test(bare ?? "")) return false;
  return /^[+-]?\d+(\.\d+)?$/.test(bare ?? "") ? Number(bare) : undefined;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

function unescaped(string: string): string {
  return string.replaceAll(/\\(.)/g, (_, character: string) => escapes[character] ?? character);
}

function unreadable(file: string, number: number, line: string): RowhouseError {
  return new RowhouseError(
    "settings_invalid",
    `${file}, line ${number}, cannot be read: ${line.trim()}`,
    'Write `key = "text"`, `key = 1`, `key = true` or a comment after #.',
  );
}
