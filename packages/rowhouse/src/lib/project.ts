import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { errorMessage, RowhouseError } from "./errors.ts";
import { type LintSettings, lintSettingsSchema } from "./lint-settings.ts";

/** A project that uses Rowhouse: where its parts are, and what cannot be discovered about it. */
export interface Project {
  /** The folder that holds package.json, sql/, policies/ and db/. */
  readonly root: string;
  /** The folder that deploys run `dbmate up` on. */
  readonly migrationsDir: string;
  /** Where `rowhouse types` writes. */
  readonly typesFile: string;
  /** The settings of PostgREST, secrets and addresses aside. */
  readonly postgrestConf: string;
  /** A table, "schema.table", or a query of the users' ids and email addresses; undefined when it is to be found. */
  readonly users: string | undefined;
  /** The role of a user's token; undefined when it is to be found. */
  readonly userRole: string | undefined;
  /** The rules of `rowhouse lint` that are switched off, wholly or for some objects. */
  readonly lint: LintSettings;
  /** What the database holds that is not the project's own. */
  readonly platform: Platform;
}

/**
 * What belongs to the platform that a database is on, and not to the project: it is neither compared
 * nor planned. The stubs that a scratch server needs of it are in the folder platform/.
 */
export interface Platform {
  /** Schemas. Policies on their tables are the project's, and triggers that run its functions. */
  readonly schemas: readonly string[];
  /** Roles that no request has. */
  readonly roles: readonly string[];
  readonly extensions: readonly string[];
}

const defaultTypesFile = "client/database.types.ts";

const usersError = 'give a table as "schema.table", or a query: "select id, email from ..."';

/** A query, or a table with its schema, each plain or in quotes. */
const usersPattern =
  /^(?:(?:select|with|values|table)\s.+|(?:[^\s".]+|"[^"]+")\.(?:[^\s".]+|"[^"]+"))$/is;

const names = z.array(z.string(), { error: "give a list of names" }).default([]);

/** The part "rowhouse" of a project's package.json; all of it is optional. */
const configSchema = z.strictObject(
  {
    types: z.string({ error: "give the path of a file" }).min(1).default(defaultTypesFile),
    users: z
      .string({ error: usersError })
      .trim()
      .regex(usersPattern, { error: usersError })
      .optional(),
    userRole: z.string({ error: "give the name of a role" }).trim().min(1).optional(),
    lint: lintSettingsSchema.default({}),
    platform: z.strictObject({ schemas: names, roles: names, extensions: names }).prefault({}),
  },
  {
    error: ({ code, keys }) =>
      code === "unrecognized_keys"
        ? `there is no such setting: ${(keys as string[]).join(", ")}`
        : 'give an object: { "types": "<file>", "users": "<table or query>", "userRole": "<role>", "lint": { … } }',
  },
);

/**
 * Finds the project of a folder: the folder itself, or the nearest one above it, that holds
 * `db/migrations`.
 *
 * @param cwd Where to start; the working directory unless given.
 * @throws RowhouseError project_missing, settings_invalid when its package.json has faults.
 */
export function openProject(cwd = process.cwd()): Project {
  const root = findRoot(resolve(cwd));
  if (root === undefined) {
    throw new RowhouseError(
      "project_missing",
      `There is no Rowhouse project here: neither ${cwd} nor a folder above it holds db/migrations.`,
      "Change to the project's folder, or create one: `npm create rowhouse my-app`.",
    );
  }
  return readProject(root);
}

/** The project of the working directory, or one without files there where it is in none. */
export function findProject(): Project {
  return readProject(findRoot(process.cwd()) ?? process.cwd());
}

/**
 * The project in a folder, whether it has migrations yet or not.
 *
 * @throws RowhouseError settings_invalid
 */
export function readProject(root: string): Project {
  const { types, users, userRole, lint, platform } = readConfig(join(root, "package.json"));
  return {
    root,
    migrationsDir: join(root, "db", "migrations"),
    typesFile: join(root, types),
    postgrestConf: join(root, "postgrest.conf"),
    users,
    userRole,
    lint,
    platform,
  };
}

function findRoot(dir: string): string | undefined {
  if (existsSync(join(dir, "db", "migrations"))) return dir;
  const above = dirname(dir);
  return above === dir ? undefined : findRoot(above);
}

function readConfig(file: string): z.infer<typeof configSchema> {
  if (!existsSync(file)) return configSchema.parse({});
  const parsed = configSchema.safeParse(readJson(file).rowhouse ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `  ${["rowhouse", ...path].join(".")}: ${message}.`,
  );
  throw new RowhouseError(
    "settings_invalid",
    [`${file} has faults:`, ...faults].join("\n"),
    'Correct the part "rowhouse"; all of it is optional.',
  );
}

function readJson(file: string): { rowhouse?: unknown } {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new RowhouseError(
      "settings_invalid",
      `${file} is not valid JSON: ${errorMessage(error)}.`,
      "Correct the file.",
      { cause: error },
    );
  }
}
