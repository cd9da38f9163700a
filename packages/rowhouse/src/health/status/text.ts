import { colours } from "../../lib/colours.ts";
import { ago, percent, secondsSince, size, span } from "../../lib/format.ts";
import type { Status } from "./status.ts";

/** The status, a line each. */
export function describeStatus(status: Status): string[] {
  const { home, rowhouse, database, migrations, copies, problems } = status;
  return [
    `Rowhouse:    ${rowhouse}`,
    `Home:        ${home}`,
    `API:         ${describeApi(status)}`,
    `Sign-in:     ${describeSignIn(status)}`,
    `Database:    ${database.shown} (PostgreSQL ${database.postgres}${database.running ? `, up ${span(database.upSeconds)}` : ""})`,
    `Size:        ${size(database.bytes)}`,
    ...(database.running ? describeRunning(status) : []),
    ...(copies.length === 0 ? ["Backup:      none yet"] : copies.map(describeCopies)),
    "Migrations:",
    ...migrations.map(
      ({ file, applied }) =>
        `  ${applied ? colours.green("applied") : colours.yellow("pending")}  ${file}`,
    ),
    ...problems.map((problem) => `${colours.red("Wrong:")} ${problem}`),
  ];
}

function describeApi({ api, startedAt }: Status): string {
  if (api === undefined) return "not running (npm start)";
  const facts = [
    api.answers ? `PostgREST ${api.postgrest ?? "of unknown version"}` : "no answer",
    ...(startedAt ? [`up ${span(secondsSince(startedAt))}`] : []),
    `schema loaded ${ago(api.schemaLoadedAt, "at an unknown time")}`,
  ];
  return `${api.url} (${facts.join(", ")})`;
}

function describeSignIn({ signIn }: Status): string {
  if (signIn === undefined) return "not running";
  return `${signIn.url} (${signIn.answers ? "up" : "no answer"})`;
}

function describeCopies({ database, lastBackup, drill }: Status["copies"][number]): string {
  const tried = drill ? `${ago(drill.finishedAt)}, ${drill.ok ? "passed" : "failed"}` : "none yet";
  return `Backup:      ${ago(lastBackup)}, of ${database}; drill: ${tried}`;
}

function describeRunning({ database, api }: Status): string[] {
  const { connections, pool, oldestTransactionSeconds: oldest, cacheHitRate } = database;
  const open = connections.reduce((sum, { count }) => sum + count, 0);
  const parts = connections.map(
    ({ application, state, count }) => `${count} ${application} ${state}`,
  );
  return [
    `Cache:       ${cacheHitRate === undefined ? "nothing read yet" : `${percent(cacheHitRate)} of the blocks read were in it`}`,
    `Connections: ${open} of ${database.maxConnections}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`,
    ...(api && pool ? [`Pool:        ${pool.open} of ${pool.size} open, ${pool.busy} busy`] : []),
    ...(database.hidden
      ? [
          "Hidden:      what other roles do: grant pg_read_all_stats to see their pool and transactions",
        ]
      : [
          `Oldest:      ${oldest === undefined ? "no transaction is open" : `a transaction, open for ${span(oldest)}`}`,
        ]),
  ];
}
