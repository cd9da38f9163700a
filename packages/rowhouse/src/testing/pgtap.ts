import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import pg from "pg";
import { errorMessage } from "../lib/errors.ts";
import { openProject } from "../lib/project.ts";
import { readApiNames } from "../stack/api-names.ts";
import { withClient } from "../stack/database.ts";

/** What several pgTAP files need. */
const helpersFile = join(import.meta.dirname, "helpers.sql");

/** The SQL of pgTAP, from the npm package that ships it. It has had no C code since 1.3.2. */
function pgtapSql(): string {
  const require = createRequire(import.meta.url);
  const archive = join(dirname(require.resolve("@electric-sql/pglite-pgtap")), "pgtap.tar.gz");
  const file = "share/postgresql/extension/pgtap--1.3.5.sql";
  return execFileSync("tar", ["-xzOf", archive, file], { encoding: "utf8" });
}

/**
 * Puts pgTAP and our helpers into the schema `tap` of a database, as plain scripts: so they
 * work on every server alike, without a file on the server's disk.
 */
export async function installPgtap(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query("create schema tap; set search_path = tap, pg_catalog");
    await client.query(pgtapSql());
    await fillNames(client);
    await client.query(readFileSync(helpersFile, "utf8"));
  });
}

/** The names that the helpers act by. */
async function fillNames(client: pg.ClientBase): Promise<void> {
  const { schemas, extraSearchPath, roles, user, anonymous } = await readApiNames(
    client,
    openProject(),
  );
  const names = [
    ...schemas.map((name) => ["schema", name]),
    ...extraSearchPath.map((name) => ["path", name]),
    ...roles.map((name) => ["role", name]),
    ["user", user],
    ["anonymous", anonymous],
  ].filter(([, name]) => name !== undefined);
  await client.query("create table tap.api_name (kind text, name text)");
  await client.query("insert into tap.api_name select * from unnest($1::text[], $2::text[])", [
    names.map(([kind]) => kind),
    names.map(([, name]) => name),
  ]);
}

/** The pgTAP files of the project, sorted by name. */
export function pgtapFiles(root = openProject().root): string[] {
  const dir = join(root, "tests/database");
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => join(dir, name));
}

/** One line of TAP: an assertion. */
export interface Assertion {
  readonly name: string;
  readonly ok: boolean;
  /** pgTAP's explanation of a failure. */
  readonly diagnosis: string;
}

/**
 * Runs one pgTAP file, statement by statement, in one session. Files that were written for the extension
 * run as well: pgTAP is at the end of the search path, after what requests have there, and its CREATE EXTENSION
 * is passed over.
 *
 * @returns Its assertions, in order; the last shows whether as many ran as were planned. When an
 *   error ends the file after a failed assertion, one more reports it: the first failure matters more.
 * @throws What PostgreSQL ended the file with, if no assertion failed before.
 */
export async function runPgtap(url: string, file: string): Promise<Assertion[]> {
  return withClient(url, async (client) => {
    await client.query(
      `select set_config(
         'search_path',
         concat_ws(
           ', ',
           nullif(current_setting('search_path'), ''),
           (select string_agg(quote_ident(name), ', ') from tap.api_name where kind = 'path'),
           'tap'
         ),
         false
       )`,
    );
    return runStatements(client, withoutPgtapExtension(readFileSync(file, "utf8")));
  });
}

function runStatements(client: pg.Client, text: string): Promise<Assertion[]> {
  return new Promise((resolve, reject) => {
    const output: unknown[] = [];
    const assertions = () =>
      parseTap(output.filter((value) => typeof value === "string").join("\n"));
    const query = new pg.Query(text);
    query.on("row", (row: object) => output.push(...Object.values(row)));
    query.on("end", () => resolve(assertions()));
    query.on("error", (error) => {
      const ran = assertions();
      const end = { name: "runs to its end", ok: false, diagnosis: errorMessage(error) };
      // Without the last, which no file meets that breaks off.
      if (ran.slice(0, -1).every(({ ok }) => ok)) reject(error);
      else resolve([...ran, end]);
    });
    client.query(query);
  });
}

/** The statement alone, on lines of its own: blank, so that later lines keep their numbers. */
function withoutPgtapExtension(text: string): string {
  const statement =
    /^[ \t]*create\s+extension\s+(?:if\s+not\s+exists\s+)?(?:pgtap|"pgtap")(?=[\s;])[^;'"]*;/gim;
  return text.replace(statement, (found) => found.replace(/[^\n]/g, " "));
}

/**
 * Whether a file leaves the database as it was, so that others can run before it or after it: all that it does
 * is in transactions, and each of them is rolled back.
 */
export function leavesNothing(file: string): boolean {
  let inTransaction = false;
  let rollsBack = false;
  for (const statement of splitStatements(withoutPgtapExtension(readFileSync(file, "utf8")))) {
    if (/^(commit|end|prepare\s+transaction)\b/i.test(statement)) return false;
    rollsBack = /^(rollback|abort)(\s+(work|transaction))?$/i.test(statement);
    if (/^(begin|start\s+transaction)\b/i.test(statement)) inTransaction = true;
    else if (rollsBack) inTransaction = false;
    else if (!inTransaction && !/^(set|reset)\s/i.test(statement)) return false;
  }
  return rollsBack;
}

/** The statements of a text, without its comments and with a blank for each string, quoted name and body. */
function splitStatements(text: string): string[] {
  const quoted =
    /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|\be'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/gi;
  const body = /\bbegin\s+atomic\b[\s\S]*?\bend\b/gi;
  return text
    .replace(quoted, " ")
    .replace(body, " ")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

function parseTap(output: string): Assertion[] {
  const lines = output.split("\n");
  const planned = Number(lines.find((line) => /^1\.\.\d+$/.test(line))?.slice(3) ?? -1);
  const assertions: { name: string; ok: boolean; diagnosis: string }[] = [];
  for (const line of lines) {
    const [, not, name] = /^(not )?ok \d+(?: - (.*))?$/.exec(line) ?? [];
    const last = assertions.at(-1);
    if (/^(not )?ok /.test(line)) {
      assertions.push({ name: name ?? line, ok: not === undefined, diagnosis: "" });
    } else if (line.startsWith("#") && last) {
      last.diagnosis += `${line}\n`;
    }
  }
  const ran = assertions.length;
  const diagnosis = `planned ${planned}, ran ${ran}`;
  return [
    ...assertions,
    { name: "runs as many assertions as planned", ok: planned === ran, diagnosis },
  ];
}
