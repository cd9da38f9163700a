import { type MeasuredBar, measureBars, summarizeRatios } from "./bars.ts";
import type { Sample } from "./measure.ts";
import { type ContestantName, contestants } from "./names.ts";
import { type Spread, summarize } from "./statistics.ts";

/** What a run is measured on, and how. */
export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  /** The load average of a minute, when it began and when it ended: how busy the machine was. */
  readonly loadAverage: { readonly before: number; readonly after: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** One of them at one operation. */
interface Result {
  readonly operation: string;
  readonly contestant: string;
  readonly perSecond: Spread;
  /** To Rowhouse, within the rounds. */
  readonly ratio: Spread | null;
  readonly p99Ms: Spread | null;
  readonly cpuMs: { readonly server: number; readonly postgres: number; readonly load: number };
  readonly failures: number;
}

/** A run, as latest.json has it. */
export interface Report extends Circumstances {
  /** Median ratios of requests per second to Rowhouse, by operation and contestant. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly bars: readonly MeasuredBar[];
  readonly results: readonly Result[];
  /** The memory of each server, in MB, after it was measured. */
  readonly memoryMb: Readonly<Record<string, number>>;
  /** The median times of the commands, in seconds. */
  readonly commands: Readonly<Record<string, Spread>>;
  /** A new project's node_modules, in MB. */
  readonly installMb: number | null;
}

type Samples = ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>;

/** Makes the report of all samples, by operation and contestant. */
export function createReport(
  circumstances: Circumstances,
  samples: Samples,
  rest: Pick<Report, "memoryMb" | "commands" | "installMb">,
): Report {
  const results = [...samples].flatMap(([operation, all]) =>
    [...all].map(([contestant, some]) =>
      createResult(operation, contestant, some, all.get("rowhouse")),
    ),
  );
  const ratios: Record<string, Record<string, number>> = {};
  for (const { operation, contestant, ratio } of results) {
    if (ratio === null) continue;
    ratios[operation] = { ...ratios[operation], [contestant]: ratio.median };
  }
  return { ...circumstances, ratios, bars: measureBars(samples), results, ...rest };
}

function createResult(
  operation: string,
  contestant: string,
  samples: readonly Sample[],
  rowhouse: readonly Sample[] | undefined,
): Result {
  const p99 = samples.map(({ p99Ms }) => p99Ms).filter((value) => !Number.isNaN(value));
  const cpu = (part: keyof Sample["cpuMs"]) =>
    summarize(samples.map(({ cpuMs }) => cpuMs[part])).median;
  return {
    operation,
    contestant,
    perSecond: summarize(samples.map(({ perSecond }) => perSecond)),
    ratio: summarizeRatios(samples, rowhouse) ?? null,
    p99Ms: p99.length === 0 ? null : summarize(p99),
    cpuMs: { server: cpu("server"), postgres: cpu("postgres"), load: cpu("load") },
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
  };
}

/** A report as Markdown. */
export function formatReport(report: Report): string {
  const operations = [...new Set(report.results.map(({ operation }) => operation))];
  return [
    formatCircumstances(report),
    "Requests per second, as multiples of Rowhouse's: medians of the ratios within a round.",
    formatRatios(report),
    ...operations.flatMap((operation) => [`### ${operation}`, formatOperation(report, operation)]),
    ...(report.bars.length === 0 ? [] : ["### Bars", formatBars(report.bars)]),
    ...formatNumbers("Memory, MB", report.memoryMb),
    ...formatNumbers(
      "Commands, s",
      Object.fromEntries(
        Object.entries(report.commands).map(([name, { median }]) => [name, median]),
      ),
    ),
    ...(report.installMb === null ? [] : [`A new project's node_modules: ${report.installMb} MB.`]),
  ].join("\n\n");
}

function formatCircumstances(report: Report): string {
  const { date, machine, loadAverage, versions, rows, rounds, seconds, connections } = report;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date}, ${machine}; ${names.join(", ")}.`,
    `${rounds} rounds of ${seconds} s, ${connections} connections, ${rows.map((count) => count.toLocaleString("en")).join(" and ")} tasks.`,
    `Load average ${loadAverage.before.toFixed(1)} before and ${loadAverage.after.toFixed(1)} after: only ratios within the run mean anything.`,
  ].join("\n");
}

/** A line for each of those that are compared, a column for each operation. */
function formatRatios({ ratios, results }: Report): string {
  const names = [...new Set(results.map(({ contestant }) => contestant))];
  const lines = names.map((name) => [
    name,
    ...Object.values(ratios).map((operation) => operation[name]?.toFixed(2) ?? ""),
  ]);
  return formatTable([["", ...Object.keys(ratios)], ...lines]);
}

const heads = [
  "",
  "req/s",
  "ratio",
  "min..max",
  "p99 ms",
  "CPU ms: server",
  "PostgreSQL",
  "failed",
];

function formatOperation({ results }: Report, operation: string): string {
  const lines = results
    .filter((one) => one.operation === operation)
    .sort((a, b) => b.perSecond.median - a.perSecond.median)
    .map(({ contestant, perSecond, ratio, p99Ms, cpuMs, failures }) => [
      contestants[contestant as ContestantName],
      Math.round(perSecond.median).toLocaleString("en"),
      ratio?.median.toFixed(2) ?? "",
      ratio === null ? "" : `${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}`,
      p99Ms?.median.toFixed(0) ?? "",
      cpuMs.server.toFixed(2),
      cpuMs.postgres.toFixed(2),
      String(failures),
    ]);
  return formatTable([heads, ...lines]);
}

function formatBars(bars: readonly MeasuredBar[]): string {
  const lines = bars.map(({ name, ratio, wanted, met }) => [
    name,
    ratio.median.toFixed(2),
    `${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}`,
    "atLeast" in wanted ? `>= ${wanted.atLeast}` : `<= ${wanted.atMost}`,
    met ? "met" : "missed",
  ]);
  return formatTable([["", "ratio", "min..max", "wanted", ""], ...lines]);
}

function formatNumbers(title: string, numbers: Readonly<Record<string, number>>): string[] {
  const lines = Object.entries(numbers).map(([name, value]) => [
    name,
    value < 10 ? value.toFixed(2) : String(Math.round(value)),
  ]);
  return lines.length === 0 ? [] : [formatTable([[title, ""], ...lines])];
}

function formatTable([head = [], ...lines]: string[][]): string {
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
