import { randomUUID } from "node:crypto";
import pg from "pg";
import { expect } from "vitest";
import type { ApiOptions } from "../../src/stack/postgrest.ts";
import { type Answer, type Api, type Ask, type Caller, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";

/** Any row, as JSON. */
export type Row = Record<string, unknown>;

/** PostgREST on a database of a test file's own, and a way to look behind it. */
export interface Backend extends Api {
  /** Runs SQL as superuser, past row-level security, and returns the rows. */
  readonly sql: (text: string, values?: unknown[]) => Promise<Row[]>;
}

/**
 * Brings up a backend; stop it in afterAll.
 *
 * @param prepare SQL for the database, before the API learns what is in it.
 */
export async function startBackend(
  options: Partial<ApiOptions> = {},
  prepare = "",
): Promise<Backend> {
  const databaseUrl = await cloneDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(prepare);
  const api = await startApi(databaseUrl, options);
  return {
    ...api,
    sql: async (text, values) => (await client.query<Row>(text, values)).rows,
    stop: async () => {
      await client.end();
      await api.stop();
    },
  };
}

/** All that is stored: to see that a request changed nothing. */
export async function everything({ sql }: Backend): Promise<Row[]> {
  return sql(`
    select 'user' as kind, to_jsonb(u) as value from api.users u
    union all
    select 'task', to_jsonb(t) from api.tasks t
    order by kind, value
  `);
}

/** An id that a client may give to a task. */
export function newId(): string {
  return randomUUID().replace(/^(.{14})./, "$17");
}

/** Headers with which a write answers with the rows that it left. */
export const full = { prefer: "return=representation" };

/** Headers that ask for one row, and not for a list. */
export const object = { accept: "application/vnd.pgrst.object+json" };

/** Creates tasks and returns their rows. */
export async function addTasks(user: Caller, ...tasks: Row[]): Promise<Row[]> {
  const body = tasks.map((task) => ({ id: newId(), ...task }));
  const answer = await user.ask("/tasks", { method: "POST", headers: full, body });
  if (answer.status !== 201) throw new Error(`adding tasks answered ${JSON.stringify(answer)}`);
  return answer.body as Row[];
}

/** Creates one task and returns its row. */
export async function addTask(user: Caller, task: Row = { title: "a task" }): Promise<Row> {
  return (await addTasks(user, task))[0] ?? {};
}

/** The rows that an answer holds. */
export async function rowsOf(user: Caller, path: string, ask?: Ask): Promise<Row[]> {
  return (await user.ask(path, ask)).body as Row[];
}

/** What an error says, for toMatchObject: its status and the code in its body. */
export function refusal(status: number, code: string, rest: Row = {}): Partial<Answer> {
  return { status, body: expect.objectContaining({ code, ...rest }) };
}
