import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

/** A user who is measured. */
export interface MeasuredUser {
  readonly id: string;
  readonly email: string;
  /** How many tasks the user has. */
  readonly tasks: number;
  /** The task in the middle of their list. */
  readonly middle: string;
}

/** A database that is loaded. */
export interface LoadedDatabase {
  readonly users: readonly MeasuredUser[];
  readonly version: string;
}

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
const batchSize = 100_000;
const fewTasks = 500;

/**
 * Fills a database with tasks.
 *
 * @param url As superuser: foreign keys are not checked row by row.
 * @param numbers The users that are returned; those of 500 tasks and of many unless given.
 * @throws the reason of the signal, between two batches.
 */
export async function loadTasks(
  url: string,
  rows: number,
  report: (line: string) => void,
  signal: AbortSignal,
  numbers?: readonly number[],
): Promise<LoadedDatabase> {
  signal.throwIfAborted();
  const client = new pg.Client({ connectionString: url });
  // Ctrl-C on a terminal reaches the server too, and breaks the connection.
  client.on("error", () => {});
  await client.connect();
  try {
    const hasMany = rows / 10 > fewTasks;
    const others = Math.ceil(rows / fewTasks);
    await client.query("set statement_timeout = 0; set session_replication_role = replica");
    await client.query(read("users.sql"), [others]);
    for (let first = 1; first <= rows; first += batchSize) {
      signal.throwIfAborted();
      const last = Math.min(first + batchSize - 1, rows);
      const step = Math.floor(rows / fewTasks);
      await client.query(read("tasks.sql"), [first, last, step, fewTasks, hasMany, others]);
      report(`loaded ${last.toLocaleString("en")} of ${rows.toLocaleString("en")} tasks`);
    }
    signal.throwIfAborted();
    await client.query("vacuum (analyze) api.tasks, api.users");
    await client.query("checkpoint");
    const { rows: versions } = await client.query("show server_version");
    const users = [];
    for (const number of numbers ?? (hasMany ? [0, 1] : [0]))
      users.push(await readUser(client, number));
    return { users, version: versions[0].server_version };
  } finally {
    await client.end();
  }
}

async function readUser(client: pg.Client, number: number): Promise<MeasuredUser> {
  const hex = createHash("md5").update(`user ${number}`).digest("hex");
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const counted = await client.query<{ tasks: number }>(
    "select count(*)::int as tasks from api.tasks where user_id = $1",
    [id],
  );
  const tasks = counted.rows[0]?.tasks ?? 0;
  const found = await client.query<{ id: string }>(
    "select id from api.tasks where user_id = $1 order by id offset $2 limit 1",
    [id, Math.floor(tasks / 2)],
  );
  return { id, email: `user${number}@example.com`, tasks, middle: found.rows[0]?.id ?? "" };
}
