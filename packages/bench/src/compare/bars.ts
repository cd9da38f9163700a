import type { Sample } from "./measure.ts";
import type { ContestantName } from "./names.ts";
import { type Spread, summarize } from "./statistics.ts";

/** A bar of the issue: how many times the requests per second of one another has to have. */
interface Bar {
  readonly name: string;
  readonly operation: string;
  readonly of: ContestantName;
  readonly over: ContestantName;
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number };
}

/** A bar, and what was measured. */
export interface MeasuredBar extends Bar {
  readonly ratio: Spread;
  readonly met: boolean;
}

const slower: readonly ContestantName[] = [
  "drizzle-rls",
  "prisma-rls",
  "express-rls",
  "postgraphile-rls",
];

/** What is wanted. They are printed as met or missed: no timing is a test. */
const bars: readonly Bar[] = [
  {
    name: "list, of the tuned route",
    operation: "list",
    of: "rowhouse",
    over: "fastify-rls",
    wanted: { atLeast: 0.95 },
  },
  {
    name: "create, of the tuned route",
    operation: "create",
    of: "rowhouse",
    over: "fastify-rls",
    wanted: { atLeast: 0.8 },
  },
  {
    name: "update, of the tuned route",
    operation: "update",
    of: "rowhouse",
    over: "fastify-rls",
    wanted: { atLeast: 0.8 },
  },
  ...slower.map(
    (of): Bar => ({
      name: `list by ${of}, of ours`,
      operation: "list",
      of,
      over: "rowhouse",
      wanted: { atMost: 0.7 },
    }),
  ),
  {
    name: "list without RLS and check, of ours",
    operation: "list",
    of: "rowhouse-bare",
    over: "rowhouse",
    wanted: { atMost: 1.15 },
  },
  {
    name: "list from few rows, of one from many",
    operation: "list",
    of: "rowhouse",
    over: "rowhouse-rows",
    wanted: { atMost: 1.2 },
  },
  {
    name: "the same of a user with a tenth of them",
    operation: "list",
    of: "rowhouse",
    over: "rowhouse-many",
    wanted: { atMost: 1.2 },
  },
  {
    name: "page 50 from few rows, of one from many",
    operation: "page-50",
    of: "rowhouse",
    over: "rowhouse-many",
    wanted: { atMost: 1.2 },
  },
  {
    name: "list by fetch, of the typed client",
    operation: "list",
    of: "fetch",
    over: "client",
    wanted: { atMost: 1.3 },
  },
];

/** The bars of which both sides were measured. */
export function measureBars(
  samples: ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>,
): MeasuredBar[] {
  return bars.flatMap((bar) => {
    const operation = samples.get(bar.operation);
    const ratio = summarizeRatios(operation?.get(bar.of), operation?.get(bar.over));
    if (ratio === undefined) return [];
    const { wanted } = bar;
    const met =
      "atLeast" in wanted ? ratio.median >= wanted.atLeast : ratio.median <= wanted.atMost;
    return [{ ...bar, ratio, met }];
  });
}

/** The ratios of two, round by round; undefined where one was not measured. */
export function summarizeRatios(
  of: readonly Sample[] | undefined,
  over: readonly Sample[] | undefined,
): Spread | undefined {
  if (!of?.length || !over?.length) return undefined;
  return summarize(
    of.map(({ perSecond }, round) => perSecond / (over[round]?.perSecond ?? Number.NaN)),
  );
}
