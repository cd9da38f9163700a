import type { Caller, Operation } from "./actions.ts";
import type { Contestant } from "./contestant.ts";
import { sumCpu } from "./processes.ts";

/** What one of them did in one round. */
export interface Sample {
  readonly perSecond: number;
  /** NaN where it is not known. */
  readonly p99Ms: number;
  readonly failures: number;
  /** CPU of a request, in ms: the server's, PostgreSQL's with its backends, and what asked. */
  readonly cpuMs: { readonly server: number; readonly postgres: number; readonly load: number };
}

/** How it is measured. */
export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** How many times as long as a round the first ones are: Node.js compiles what runs often. */
const warmUp = 2;

/** More tasks than can be deleted in a second. */
const deletionsPerSecond = 5000;

/**
 * Measures an operation in rounds, in which all take turns, each round beginning with another one: what
 * slows the machine for a while meets all of them. The round before the first is not counted.
 *
 * @returns The samples of each, by name, round by round.
 */
export async function measureOperation(
  operation: Operation,
  all: readonly Contestant[],
  { rounds, seconds, connections }: Plan,
  signal: AbortSignal,
  report: (round: number) => void,
): Promise<Map<string, Sample[]>> {
  const able = all.filter((one) => one.can(operation));
  const samples = new Map<string, Sample[]>(able.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    report(round);
    for (const one of rotate(able, round)) {
      signal.throwIfAborted();
      const options = {
        callers: connections,
        seconds: round === 0 ? seconds * warmUp : seconds,
        signal,
      };
      const caller = await prepareCaller(operation, one, options.seconds);
      const sample = await measure(() => one.load(operation, caller, options), one);
      if (round > 0) samples.get(one.name)?.push(sample);
    }
  }
  for (const database of new Set(able.map((one) => one.database))) {
    await database.removeTasks();
    // Else the next operation would be measured, and planned, on a table of mostly dead rows, and by an
    // index that deletions have left so large that PostgreSQL reads the whole table instead.
    await database.sql("vacuum (analyze) api.tasks");
    await database.sql("reindex table api.tasks");
  }
  return samples;
}

async function prepareCaller(
  { name, caller }: Operation,
  { database }: Contestant,
  seconds: number,
): Promise<Caller> {
  const user = database.callers[caller];
  if (name !== "delete") return user;
  await database.removeTasks();
  return { ...user, tasks: await database.addTasks(Math.ceil(deletionsPerSecond * seconds)) };
}

async function measure(
  load: () => ReturnType<Contestant["load"]>,
  { pids, database }: Contestant,
): Promise<Sample> {
  const roots = [pids, [database.pids.postgres]];
  const before = roots.map(sumCpu);
  const own = process.cpuUsage();
  const { requests, seconds, p99Ms, failures } = await load();
  const { user, system } = process.cpuUsage(own);
  const [server = 0, postgres = 0] = roots.map((ids, at) => sumCpu(ids) - (before[at] ?? 0));
  return {
    perSecond: requests / seconds,
    p99Ms,
    failures,
    cpuMs: {
      server: server / requests,
      postgres: postgres / requests,
      load: (user + system) / 1000 / requests,
    },
  };
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
