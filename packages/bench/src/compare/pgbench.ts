import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Action, Operation } from "./actions.ts";
import type { Contestant } from "./contestant.ts";
import type { BenchDatabase } from "./database.ts";

const run = promisify(execFile);
const debian = "/usr/lib/postgresql";

/** The newest pgbench of Debian's packages, or the one on the PATH; undefined where there is none. */
export function findPgbench(): string | undefined {
  const versions = existsSync(debian) ? readdirSync(debian).sort() : [];
  const folders = [
    ...versions.reverse().map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ];
  return folders.map((folder) => join(folder, "pgbench")).find((file) => existsSync(file));
}

const columns = "user_id, id, title, description, completed, created_at, updated_at";

/** The statement of an action; undefined where pgbench cannot send it again and again. */
function formatStatement(action: Action): string | undefined {
  switch (action.kind) {
    case "list": {
      const { limit, before, search, withUser } = action;
      const from = withUser
        ? "select t.*, row_to_json(u) from api.tasks t left join api.users u on u.id = t.user_id"
        : `select ${columns} from api.tasks t`;
      const where = [
        ...(before === undefined ? [] : [`t.id < '${before}'`]),
        ...(search === undefined ? [] : [`t.title ilike '%${search}%'`]),
      ];
      const filter = where.length === 0 ? "" : ` where ${where.join(" and ")}`;
      return `${from}${filter} order by t.id desc limit ${limit};`;
    }
    case "get":
      return `${pickTask}select ${columns} from api.tasks where id = (:ids::uuid[])[:at];`;
    case "count":
      return "select count(*) from api.tasks;";
    case "create":
      return `insert into api.tasks (title) values ('New') returning ${columns};`;
    case "update":
      return `${pickTask}update api.tasks set title = 'Changed' where id = (:ids::uuid[])[:at] returning ${columns};`;
    case "delete":
      return undefined;
  }
}

/** As many connections as the others have in their pools. */
const pool = 10;
const tasks = 100;
const pickTask = `\\set at random(1, ${tasks})\n`;

/** What the database gives at most: one prepared statement a request, and no HTTP. */
export function createPgbench(program: string, database: BenchDatabase): Contestant {
  const statement = ({ name, caller, next }: Operation) => {
    const user = { ...database.callers[caller], tasks: ["stock"] };
    const action = name === "mix" ? undefined : next(user, 0);
    return action && formatStatement(action);
  };
  return {
    name: "pgbench",
    database,
    pids: [],
    can: (operation) => statement(operation) !== undefined,
    load: async (operation, caller, { callers, seconds, signal }) => {
      const dir = mkdtempSync(join(tmpdir(), "rowhouse-bench-pgbench-"));
      try {
        const file = join(dir, "statement.sql");
        writeFileSync(file, `${statement(operation)}\n`);
        const claims = JSON.stringify({ sub: caller.id, role: "authenticated" });
        const options = `-c role=authenticated -c request.jwt.claims=${claims}`;
        const env = { ...process.env, ...database.logins.rls, PGOPTIONS: options };
        const ids = `ids={${caller.tasks.slice(0, tasks).join(",")}}`;
        const time = String(Math.max(1, Math.round(seconds)));
        const args = [
          "-n",
          "-M",
          "prepared",
          "-c",
          String(Math.min(callers, pool)),
          "-T",
          time,
          "-D",
          ids,
          "-f",
          file,
        ];
        const { stdout } = await run(program, args, { env, signal }).catch((error) => {
          signal.throwIfAborted();
          throw new Error(`pgbench failed: ${String(error.stderr).trim().split("\n")[0]}`);
        });
        return readOutput(stdout);
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  };
}

function readOutput(text: string) {
  const requests = Number(/actually processed: (\d+)/.exec(text)?.[1]);
  const perSecond = Number(/tps = ([\d.]+)/.exec(text)?.[1]);
  const failures = Number(/failed transactions: (\d+)/.exec(text)?.[1] ?? 0);
  return { requests, seconds: requests / perSecond, p99Ms: Number.NaN, failures };
}
