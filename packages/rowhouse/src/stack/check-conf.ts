import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RowhouseError } from "../lib/errors.ts";
import type { Project } from "../lib/project.ts";
import { readApiNames, readServed } from "./api-names.ts";
import { withClient } from "./database.ts";
import { type PostgrestConf, readPostgrestConf } from "./postgrest-conf.ts";

const query = readFileSync(join(import.meta.dirname, "check-conf.sql"), "utf8");

/** The function that checks each request in a project that was made by Rowhouse. */
export const ownCheck = "request.check";

/**
 * What the API does without the function that Rowhouse runs before each request; undefined where it
 * runs.
 */
export function describeUnchecked({
  preRequest,
}: Pick<PostgrestConf, "preRequest">): string | undefined {
  if (preRequest === ownCheck) return undefined;
  const lacks =
    "a token needs no exp, sub, aud, iss or role, a request has no id in the logs, and planned counts (Prefer: count=planned) show how many rows all users have, where no policy refuses them";
  return preRequest === undefined
    ? `postgrest.conf names no db-pre-request: ${lacks}.`
    : `db-pre-request is ${preRequest}, not ${ownCheck}: unless that function sees to it, ${lacks}.`;
}

/** What PostgREST goes by: its file, and over it the settings of the role that it logs in as. */
export async function readEffectiveConf(
  url: string,
  project: Project,
): Promise<Pick<PostgrestConf, "schemas" | "anonRole" | "preRequest">> {
  // Elsewhere a project may lack the file; here that is an error.
  readPostgrestConf(project.postgrestConf);
  const names = await withClient(url, (client) => readServed(client, project));
  return { schemas: names.schemas, anonRole: names.anonymous, preRequest: names.preRequest };
}

interface Missing {
  readonly schemas: readonly string[];
  readonly anon_role: boolean;
  readonly pre_request: boolean;
}

/**
 * Compares postgrest.conf with a database: PostgREST itself starts with names that do not exist, and
 * then answers every request with an error.
 *
 * @returns A sentence for each name that the database lacks.
 * @throws RowhouseError settings_invalid when the file cannot be read.
 */
export async function findMissingNames(
  url: string,
  { schemas, anonRole, preRequest }: Pick<PostgrestConf, "schemas"> & Partial<PostgrestConf>,
): Promise<string[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<Missing>(query, [schemas, anonRole ?? null, preRequest ?? null]),
  );
  const [missing] = rows;
  return [
    ...(missing?.schemas ?? []).map(
      (name) => `db-schemas names ${name}, and the database has no such schema.`,
    ),
    ...(missing?.anon_role
      ? [`db-anon-role names ${anonRole}, and the server has no such role.`]
      : []),
    ...(missing?.pre_request
      ? [`db-pre-request names ${preRequest}, and the database has no such function.`]
      : []),
  ];
}

/**
 * Makes sure that postgrest.conf, and the settings of the login role that win over it, fit a database, and
 * that JWT_ROLE does.
 *
 * @param jwtRole The role of a token that names none.
 * @param report Gets a line about what the database is then not protected from.
 * @throws RowhouseError settings_invalid
 */
export async function assertConfFits(
  url: string,
  project: Project,
  jwtRole: string | undefined,
  report: (line: string) => void,
): Promise<void> {
  const file = project.postgrestConf;
  const conf = await readEffectiveConf(url, project);
  const missing = await findMissingNames(url, conf);
  if (missing.length > 0) {
    throw new RowhouseError(
      "settings_invalid",
      [`${file} does not fit the database:`, ...missing.map((line) => `  ${line}`)].join("\n"),
      "Correct postgrest.conf, or the PGRST_* variable that replaces the line.",
    );
  }
  const unchecked = describeUnchecked(conf);
  if (unchecked !== undefined) report(`Warning: ${unchecked}`);
  if (jwtRole === undefined) return;
  await assertJwtRole(url, project, jwtRole, conf.preRequest);
  if (conf.preRequest === undefined)
    report(
      "Warning: JWT_ROLE changes nothing: without db-pre-request, PostgREST takes a token that names no role for an anonymous request.",
    );
}

/** @throws RowhouseError settings_invalid */
async function assertJwtRole(
  url: string,
  project: Project,
  role: string,
  preRequest: string | undefined,
): Promise<void> {
  if (preRequest === ownCheck && role !== "authenticated")
    throw jwtRoleInvalid(`JWT_ROLE must be authenticated, or empty: ${ownCheck}() takes no other.`);
  const { roles, logins } = await withClient(url, (client) => readApiNames(client, project));
  // Where the login role is not known, it is not known either whom it can become.
  if (logins.length > 0 && !roles.includes(role))
    throw jwtRoleInvalid(
      `JWT_ROLE is ${role}, which no request can have: those are ${roles.join(", ")}.`,
    );
}

function jwtRoleInvalid(message: string): RowhouseError {
  return new RowhouseError(
    "settings_invalid",
    message,
    "Correct JWT_ROLE in the environment or in .env.",
  );
}
