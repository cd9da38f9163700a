import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { RowhouseError } from "rowhouse";
import { withStack } from "../database.ts";
import { operations } from "./actions.ts";
import { compareAnswers } from "./check.ts";
import { measureCommands, measureInstall } from "./commands.ts";
import type { Contestant } from "./contestant.ts";
import { startContestants } from "./contestants.ts";
import { type BenchDatabase, prepareDatabase } from "./database.ts";
import { measureOperation, type Sample } from "./measure.ts";
import { peers } from "./names.ts";
import { help, type Options, OptionsError, parseOptions } from "./options.ts";
import { drawOperation } from "./plot.ts";
import { sumMemory } from "./processes.ts";
import { createReport, formatReport, type Report } from "./report.ts";
import { type BenchServer, hasPeers, installPeers } from "./servers.ts";

const note = (line: string) => process.stderr.write(`${line}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

/** Lets work use a database for each number of rows, all at once. */
async function withDatabases<T>(
  rows: readonly number[],
  signal: AbortSignal,
  work: (databases: BenchDatabase[]) => Promise<T>,
  ready: BenchDatabase[] = [],
): Promise<T> {
  const [next, ...rest] = rows;
  if (next === undefined) return work(ready);
  return withStack(false, note, async (bench) => {
    const database = await prepareDatabase(bench, next, note, signal);
    try {
      return await withDatabases(rest, signal, work, [...ready, database]);
    } finally {
      await database.close();
    }
  });
}

/** Installs the peers where that is wanted; those that can be measured then. */
async function chooseContestants(options: Options, signal: AbortSignal): Promise<string[]> {
  const isPeer = (name: string) => peers.some((peer) => peer === name);
  const wanted = options.contestants.filter(isPeer);
  if (wanted.length === 0 || hasPeers()) return [...options.contestants];
  if (options.install) {
    note("installing the peers into packages/bench/peers, which takes some minutes ...");
    await installPeers(signal);
    return [...options.contestants];
  }
  note(`left out, since they are not installed: ${wanted.join(", ")}`);
  return options.contestants.filter((name) => !isPeer(name));
}

async function measureAll(
  options: Options,
  contestants: readonly Contestant[],
  signal: AbortSignal,
): Promise<Map<string, Map<string, Sample[]>>> {
  const [rowhouse] = contestants;
  const chosen = operations.filter(({ name }) => options.operations.includes(name));
  if (rowhouse === undefined) throw new Error("Rowhouse is always among them.");
  note("comparing the answers ...");
  for (const operation of chosen) {
    for (const one of contestants) {
      signal.throwIfAborted();
      if (one.database === rowhouse.database && one.name !== "rowhouse") {
        if (one.name === "client" && operation.name === "1000-rows") continue;
        await compareAnswers(operation, one, rowhouse);
      }
    }
  }
  const samples = new Map<string, Map<string, Sample[]>>();
  for (const operation of chosen) {
    const report = (round: number) =>
      note(
        `${operation.name}: ${round === 0 ? "warming up" : `round ${round} of ${options.rounds}`}`,
      );
    const measured = await measureOperation(operation, contestants, options, signal, report);
    samples.set(operation.name, measured);
  }
  return samples;
}

async function run(options: Options, signal: AbortSignal): Promise<Report> {
  const before = loadavg()[0] ?? 0;
  const names = await chooseContestants(options, signal);
  return withDatabases(options.rows, signal, async ([database, second]) => {
    if (database === undefined) throw new Error("There is no database.");
    const servers: BenchServer[] = [];
    try {
      const onServer = (server: BenchServer) => void servers.push(server);
      const contestants = await startContestants(names, database, second, onServer, note);
      const samples = await measureAll(options, contestants, signal);
      const memory = contestants
        .filter(({ pids }) => pids.length > 0)
        .map(({ name, pids }): [string, number] => [name, Math.round(sumMemory(pids))]);
      const commands = options.commands ? await measureCommands(database, note, signal) : {};
      const installMb = options.commands ? await measureInstall(note, signal) : null;
      const circumstances = describeRun(options, database, before);
      return createReport(circumstances, samples, {
        memoryMb: Object.fromEntries(memory),
        commands,
        installMb,
      });
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  });
}

function describeRun(options: Options, { versions }: BenchDatabase, before: number) {
  const { rows, rounds, seconds, connections } = options;
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}, ${memory} GiB`,
    loadAverage: { before, after: loadavg()[0] ?? 0 },
    versions: { ...versions, "Node.js": process.versions.node },
    rows,
    rounds,
    seconds,
    connections,
  };
}

const root = join(import.meta.dirname, "../../../..");

/** Writes the results, and a picture of each operation. */
function write(report: Report, output: string | undefined): void {
  const results = output ?? join(root, "packages/bench/results");
  const pictures = output ?? join(root, "docs/performance");
  for (const folder of [results, pictures]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(results, "latest.json"), `${JSON.stringify(report, null, 2)}\n`);
  for (const operation of Object.keys(report.ratios)) {
    writeFileSync(join(pictures, `${operation}.svg`), drawOperation(report, operation));
  }
  note(`written: ${join(results, "latest.json")}, and a picture of each operation in ${pictures}`);
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
    const report = await run(options, interrupted.signal);
    write(report, options.output);
    print(options.json ? JSON.stringify(report, null, 2) : formatReport(report));
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
