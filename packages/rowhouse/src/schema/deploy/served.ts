import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { openProject } from "../../lib/project.ts";
import { waitFor } from "../../lib/wait.ts";
import { withClient } from "../../stack/database.ts";
import { readPostgrestConf } from "../../stack/postgrest-conf.ts";

/** A table of the API, and all its columns. */
interface Table {
  readonly table: string;
  readonly columns: readonly string[];
}

const columnsSql = readFileSync(join(import.meta.dirname, "columns.sql"), "utf8");

/**
 * Waits until PostgREST knows every table and column of the API that the database has.
 *
 * @param api The address of PostgREST.
 * @param limitMs How long to wait.
 * @param schemas Those that PostgREST serves: the tables of the default one are asked for.
 * @throws RowhouseError api_stale when it still does not.
 */
export async function assertServed(
  url: string,
  api: string,
  limitMs: number,
  schemas = readPostgrestConf(openProject().postgrestConf).schemas,
): Promise<void> {
  const [schema = "public"] = schemas;
  const tables = await withClient(url, async (client) => {
    return (await client.query<Table>(columnsSql, [schema])).rows;
  });
  let mismatch = "";
  const served = await waitFor(
    async () => {
      mismatch = (await findFirstMismatch(api, schema, tables)) ?? "";
      return mismatch === "" ? true : undefined;
    },
    250,
    limitMs,
  );
  if (served) return;
  throw new RowhouseError(
    "api_stale",
    `The migrations are applied, and after ${limitMs / 1000} s ${api} does not serve what the database has: ${mismatch}.`,
    "Make PostgREST load the schema again: `notify pgrst, 'reload schema'` in the database, else SIGUSR1 to PostgREST (behind a transaction pooler only that), else restart it.",
  );
}

async function findFirstMismatch(
  api: string,
  schema: string,
  tables: readonly Table[],
): Promise<string | undefined> {
  for (const table of tables) {
    const mismatch = await findMismatch(api, schema, table);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
}

/**
 * Names all columns in a POST of no rows and without a token. PostgREST compares them with the
 * schema that it has loaded before it asks the database, which refuses anonymous.
 */
async function findMismatch(
  api: string,
  schema: string,
  { table, columns }: Table,
): Promise<string | undefined> {
  const query = new URLSearchParams({ columns: columns.map((name) => `"${name}"`).join(",") });
  const address = `${api.replace(/\/$/, "")}/${encodeURIComponent(table)}?${query}`;
  const headers = { "content-type": "application/json", "content-profile": schema };
  try {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(address, { method: "POST", headers, body: "[]", signal });
    const text = await answer.text();
    if (isKnown(answer.status, text)) return undefined;
    return `for "${table}" it answers ${answer.status} ${readMessage(text)}`;
  } catch (error) {
    return `${api} cannot be asked: ${errorMessage(error)}`;
  }
}

/** Refused by PostgreSQL's grants, or done: either way PostgREST found every column. */
function isKnown(status: number, text: string): boolean {
  return status === 201 || ((status === 401 || status === 403) && text.includes('"42501"'));
}

/** The message of a PostgREST error; the start of any other text. */
function readMessage(text: string): string {
  try {
    return String(JSON.parse(text).message);
  } catch {
    return text.slice(0, 200); // A proxy's page.
  }
}
