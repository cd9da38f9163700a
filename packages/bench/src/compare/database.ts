import { randomBytes } from "node:crypto";
import pg from "pg";
import { signToken } from "rowhouse";
import type { BenchStack } from "../database.ts";
import { loadTasks, type MeasuredUser } from "../load.ts";
import { type Caller, type Callers, newId } from "./actions.ts";
import { findParent, listTree, readEnvironment } from "./processes.ts";

/** A database that is loaded and served. */
export interface BenchDatabase extends BenchStack {
  readonly rows: number;
  readonly callers: Callers;
  /** Of PostgreSQL's first process, and of PostgREST. */
  readonly pids: { readonly postgres: number; readonly postgrest: number };
  readonly versions: Readonly<Record<string, string>>;
  /** What peers log in with: libpq's variables, for a role that obeys the policies, and one that does not. */
  readonly logins: { readonly rls: Record<string, string>; readonly all: Record<string, string> };
  readonly sql: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
  /** Gives the writer so many more tasks, to be deleted. */
  readonly addTasks: (count: number) => Promise<string[]>;
  /** Takes away what was created, and what is left to be deleted. */
  readonly removeTasks: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** By its number in tasks.sql: the first user whose tasks are neither of user 0 nor of user 1. */
const writerNumber = 4;

/** Loads the database of a stack, and makes the logins of the peers. */
export async function prepareDatabase(
  bench: BenchStack,
  rows: number,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<BenchDatabase> {
  const { stack } = bench;
  const loaded = await loadTasks(stack.databaseUrl, rows, report, signal, [0, 1, writerNumber]);
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  client.on("error", () => {});
  await client.connect();
  const password = randomBytes(16).toString("hex");
  await client.query("set statement_timeout = 0; set session_replication_role = replica");
  await client.query(`
    create role bench_rls login noinherit password '${password}';
    grant authenticated to bench_rls;
    create role bench_all login bypassrls password '${password}';
    grant authenticated to bench_all;
    grant bench_all to authenticator;
  `);
  const sql = async (text: string, values: unknown[] = []) =>
    (await client.query<Record<string, unknown>>(text, values)).rows;
  const callers: Caller[] = [];
  for (const user of loaded.users) callers.push(await readCaller(bench, user, sql));
  const [few, many, writer] = callers;
  if (!few || !many || !writer) throw new Error("A user is missing.");
  const pids = await findServers(bench, sql);
  const login = (user: string) => ({
    ...readAddress(pids.postgrest),
    PGUSER: user,
    PGPASSWORD: password,
  });
  const { headers } = await fetch(stack.apiUrl, { signal });
  return {
    ...bench,
    rows,
    callers: { few, many, writer },
    pids,
    versions: {
      PostgreSQL: loaded.version,
      PostgREST: headers.get("server")?.replace(/^postgrest\//, "") ?? "unknown",
    },
    logins: { rls: login("bench_rls"), all: login("bench_all") },
    sql,
    addTasks: async (count) => {
      const ids = Array.from({ length: count }, newId);
      await sql("insert into api.tasks (user_id, id, title) select $1, unnest($2::uuid[]), 'New'", [
        writer.id,
        ids,
      ]);
      return ids;
    },
    removeTasks: async () => {
      await sql("delete from api.tasks where user_id = $1 and title = 'New'", [writer.id]);
    },
    close: () => client.end(),
  };
}

const pageSize = 20;
const pagesBefore = 49;

async function readCaller(
  { settings }: BenchStack,
  user: MeasuredUser,
  sql: BenchDatabase["sql"],
): Promise<Caller> {
  const newest = await sql(
    "select id from api.tasks where user_id = $1 order by id desc limit $2",
    [user.id, pageSize * pagesBefore],
  );
  const tasks = newest.map(({ id }) => String(id));
  const cursor = tasks[pageSize * pagesBefore - 1] ?? user.middle;
  return { id: user.id, token: signToken(settings, user, 86_000), tasks, cursor };
}

async function findServers(
  { settings }: BenchStack,
  sql: BenchDatabase["sql"],
): Promise<BenchDatabase["pids"]> {
  const [row] = await sql("select pg_backend_pid() as pid");
  const api = listTree(process.pid).find(
    ({ pid, name }) =>
      name === "postgrest" && readEnvironment(pid).PGRST_SERVER_PORT === String(settings.apiPort),
  );
  if (api === undefined) throw new Error("PostgREST's process was not found.");
  return { postgres: findParent(Number(row?.pid)), postgrest: api.pid };
}

/** Where PostgREST reaches its database: the peers go the same way, by TCP or by a socket. */
function readAddress(postgrest: number): Record<string, string> {
  // By a socket it names no host before its parameters, which URL does not take.
  const uri = readEnvironment(postgrest).PGRST_DB_URI ?? "";
  const url = new URL(uri.replace("@/", "@localhost/"));
  // libpq takes several, of which the first is tried first; the drivers of the peers take one.
  const [host = url.hostname] = (url.searchParams.get("host") ?? url.hostname).split(",");
  return {
    PGHOST: host,
    PGPORT: url.searchParams.get("port") ?? url.port,
    PGDATABASE: url.pathname.slice(1),
    PGSSLMODE: "disable",
  };
}
