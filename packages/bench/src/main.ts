import { availableParallelism, cpus, totalmem } from "node:os";
import { RowhouseError, signToken } from "rowhouse";
import { withStack } from "./database.ts";
import { loadTasks } from "./load.ts";
import { help, type Options, OptionsError, parseOptions } from "./options.ts";
import { measurePages } from "./pages.ts";
import { addRatios, formatRun, type Result, type Run } from "./report.ts";

const note = (line: string) => process.stderr.write(`${line}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

/** The results of one database, and the versions that it ran on. */
async function measureDatabase(
  rows: number,
  { repetitions, keep }: Options,
  signal: AbortSignal,
): Promise<{ results: Result[]; versions: Record<string, string> }> {
  return withStack(keep, note, async ({ stack, settings }) => {
    const { users, version } = await loadTasks(stack.databaseUrl, rows, note, signal);
    const results: Result[] = [];
    for (const user of users) {
      const session = { url: stack.apiUrl, token: signToken(settings, user), repetitions, signal };
      const report = (question: string) =>
        note(`measuring, with ${user.tasks.toLocaleString("en")} tasks: ${question}`);
      for (const measurement of await measurePages(session, user, report)) {
        results.push({ rows, userRows: user.tasks, ...measurement });
      }
    }
    const { headers } = await fetch(stack.apiUrl, { signal });
    const postgrest = headers.get("server")?.replace(/^postgrest\//, "") ?? "unknown";
    return { results, versions: { PostgreSQL: version, PostgREST: postgrest } };
  });
}

async function run(options: Options, signal: AbortSignal): Promise<Run> {
  const results: Result[] = [];
  let versions: Record<string, string> = {};
  for (const rows of options.rows) {
    const measured = await measureDatabase(rows, options, signal);
    results.push(...measured.results);
    versions = { ...measured.versions, "Node.js": process.versions.node };
  }
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}, ${memory} GiB`,
    versions,
    results: results.map(addRatios),
  };
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(help);
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => interrupted.abort(new Error("Interrupted.")));
  }
  try {
    const result = await run(options, interrupted.signal);
    print(options.json ? JSON.stringify(result, null, 2) : formatRun(result));
    return 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    note("Interrupted.");
    return 130;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof OptionsError || error instanceof RowhouseError)) throw error;
  note(`error [${error.code}] ${error.message}\n${error.remedy}`);
  process.exitCode = error instanceof OptionsError ? 2 : 1;
}
