import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";
import type { Project } from "../lib/project.ts";
import { listOf, readPostgrestConf } from "./postgrest-conf.ts";

/** What PostgREST serves of a database, and as whom. */
export interface ApiNames {
  /** The exposed schemas; the first is the default one. */
  readonly schemas: readonly string[];
  /** The schemas that PostgREST puts on the search path after the one of the request. */
  readonly extraSearchPath: readonly string[];
  /** The role of a request without a token; undefined when such requests are refused. */
  readonly anonymous: string | undefined;
  /** The roles that a request can have, the anonymous one first. */
  readonly roles: readonly string[];
  /** The role of a user's token: package.json's, else "authenticated" where roles hold it, else the first that is not anonymous. */
  readonly user: string | undefined;
  /** The login roles that can become the roles above (PostgREST's); may be empty. */
  readonly logins: readonly string[];
  /** The function that runs before every request, with its schema. */
  readonly preRequest: string | undefined;
  /** SQL of the users: rows of (id text, email text, created timestamptz, claims jsonb); undefined when the project has none. */
  readonly users: string | undefined;
  /** The table of the users, where it is one: owner columns are found by foreign keys to it. */
  readonly usersTable: string | undefined;
}

const settingsQuery = readFileSync(join(import.meta.dirname, "api_settings.sql"), "utf8");
const namesQuery = readFileSync(join(import.meta.dirname, "api_names.sql"), "utf8");

type Served = Pick<ApiNames, "schemas" | "extraSearchPath" | "anonymous" | "preRequest">;

interface Row {
  readonly logins: readonly string[];
  readonly roles: readonly string[];
  readonly user: string | null;
  readonly users: string | null;
  readonly users_table: string | null;
}

/**
 * Discovers what PostgREST serves of a database, and as whom: from postgrest.conf, from PGRST_*
 * variables and from settings of its login role here, which win; the roles from what that role can become.
 * It only reads.
 *
 * @throws RowhouseError settings_invalid when postgrest.conf has faults, or when the setting "users"
 *   names a table that the database lacks, or "userRole" a role that no request can have.
 */
export async function readApiNames(client: pg.ClientBase, project: Project): Promise<ApiNames> {
  const served = await readServed(client, project);
  const asQuery = isQuery(project.users);
  const { rows } = await client.query<Row>(namesQuery, [
    served.anonymous ?? null,
    asQuery || project.users === undefined ? null : splitName(project.users),
  ]);
  const [row] = rows;
  if (project.users !== undefined && !asQuery && !row?.users) throw usersMissing(project.users);
  const roles = row?.roles ?? [];
  const logins = row?.logins ?? [];
  const { userRole } = project;
  // Where the login role is not known, it is not known either whom it can become.
  if (userRole !== undefined && logins.length > 0 && !roles.includes(userRole))
    throw userRoleMissing(userRole, roles);
  return {
    ...served,
    roles,
    user: userRole ?? row?.user ?? undefined,
    logins,
    users: asQuery ? asUsers(project.users) : (row?.users ?? undefined),
    usersTable: asQuery ? undefined : (row?.users_table ?? undefined),
  };
}

/**
 * Reads how PostgREST is configured by settings of the role that it logs in as ("db_schemas" ...); they may
 * hold secrets.
 *
 * @param anonymous The role of a request without a token, where it is known.
 * @param login The role that it logs in as, where it is known.
 * @param isConfigured Whether postgrest.conf says what is served: then the login has to be PostgREST's here.
 */
export async function readLoginSettings(
  client: pg.ClientBase,
  anonymous: string | undefined,
  login?: string,
  isConfigured = false,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; value: string }>(settingsQuery, [
    anonymous ?? null,
    login ?? null,
    isConfigured,
  ]);
  return new Map(rows.map(({ name, value }) => [name, value]));
}

/** What is served: by postgrest.conf, by PGRST_* variables, and over both by settings of the login role here. */
export async function readServed(
  client: pg.ClientBase,
  { postgrestConf }: Pick<Project, "postgrestConf">,
): Promise<Served> {
  const conf = readPostgrestConf(existsSync(postgrestConf) ? postgrestConf : undefined);
  const settings = await readLoginSettings(client, conf.anonRole, undefined, conf.namesSchemas);
  const schemas = settings.get("db_schemas");
  const searchPath = settings.get("db_extra_search_path");
  return {
    schemas: schemas === undefined ? conf.schemas : listOf(schemas),
    extraSearchPath: searchPath === undefined ? conf.extraSearchPath : listOf(searchPath),
    anonymous: settings.get("db_anon_role") ?? conf.anonRole,
    preRequest: settings.get("db_pre_request") ?? conf.preRequest,
  };
}

/** A schema and a name as a person writes them: plain, or in quotes where a dot is in one. */
function splitName(name: string): string[] {
  return (name.match(/"[^"]+"|[^".]+/g) ?? []).map((part) => part.replaceAll('"', ""));
}

function isQuery(users: string | undefined): users is string {
  return /^(select|with|values|table)\s/i.test(users ?? "");
}

/** On lines of its own, so that a comment at its end hides nothing. */
function asUsers(query: string): string {
  return `select distinct id::text as id, email::text as email, (to_jsonb(users) ->> 'created_at')::timestamptz as created, to_jsonb(users) -> 'claims' as claims from (\n${query.replace(/;\s*$/, "")}\n) as users where id is not null`;
}

function usersMissing(name: string): RowhouseError {
  return new RowhouseError(
    "settings_invalid",
    `"users" in package.json names ${name}, and the database has no such table with an "id" or a primary key of one column.`,
    'Correct it: "schema.table", or a query: "select id, email from ...".',
  );
}

function userRoleMissing(role: string, roles: readonly string[]): RowhouseError {
  return new RowhouseError(
    "settings_invalid",
    `"userRole" in package.json names ${role}, which no request can have.`,
    `Name one of ${roles.join(", ")}; or let PostgREST's login role become it: grant ${role} to ...`,
  );
}
