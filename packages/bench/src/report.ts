import type { Measurement } from "./pages.ts";
import type { Summary } from "./sample.ts";

/** What was measured of one user in one database. */
export interface Result extends Measurement {
  /** Tasks in the database. */
  readonly rows: number;
  /** Tasks of the user. */
  readonly userRows: number;
}

/** One run, with what it ran on. */
export interface Run {
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly (Result & { readonly ratios: Ratios })[];
}

/** Medians, as multiples of that of the plain request; none for `count()`. */
interface Ratios {
  readonly client?: number;
  readonly counted?: number;
}

/** Adds the ratios within the run. */
export function addRatios(result: Result): Result & { readonly ratios: Ratios } {
  const { client, plain, counted } = result;
  if (plain === undefined || counted === undefined) return { ...result, ratios: {} };
  const ratio = (summary: Summary) => summary.medianMs / plain.medianMs;
  return { ...result, ratios: { client: ratio(client), counted: ratio(counted) } };
}

const header = [
  "tasks",
  "of the user",
  "question",
  "client",
  "plain",
  "count=exact",
  "client / plain",
  "count=exact / plain",
];

/** A run as a Markdown table: median (p95) in milliseconds. */
export function formatRun({ date, machine, versions, results }: Run): string {
  const lines = results.map(({ rows, userRows, question, client, plain, counted, ratios }) => [
    rows.toLocaleString("en"),
    userRows.toLocaleString("en"),
    question,
    formatSummary(client),
    formatSummary(plain),
    formatSummary(counted),
    formatRatio(ratios.client),
    formatRatio(ratios.counted),
  ]);
  const rule = header.map((_, column) => (column === 2 ? "---" : "---:"));
  const table = [header, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`);
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date}, ${machine}; ${names.join(", ")}`,
    "Median (p95) in ms; where requests failed, how many and with which code.",
    "",
    ...table,
  ].join("\n");
}

function formatSummary(summary: Summary | undefined): string {
  if (summary === undefined) return "";
  const { medianMs, p95Ms, samples, failures, failure } = summary;
  const times = `${formatMs(medianMs)} (${formatMs(p95Ms)})`;
  return failures === 0 ? times : `${times}, ${failures} of ${samples} failed: ${failure}`;
}

function formatMs(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString("en");
}

function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? "" : ratio.toFixed(1);
}
