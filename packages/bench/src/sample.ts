/** One request: how long it took, and the code of its failure, if it failed. */
export interface Sample {
  readonly ms: number;
  readonly failure?: string;
}

/** What many samples of one request say. Failed ones count with the time that they took. */
export interface Summary {
  readonly samples: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly failures: number;
  /** The code of the first failure. */
  readonly failure?: string;
}

/** Sends one request, and returns the code of its failure, if it fails. */
export type Variant = () => Promise<string | undefined>;

/** Rounds that are not counted: connections open, and caches fill. */
const warmUps = 2;
const leastRounds = 5;
const limitMs = 20_000;

/**
 * Sends each variant of a request, round by round, each round beginning with another one, so that
 * whatever slows the machine for a while meets all of them.
 */
export async function sampleVariants<Name extends string>(
  variants: Record<Name, Variant>,
  repetitions: number,
  signal: AbortSignal,
): Promise<Record<Name, Summary>> {
  const names = Object.keys(variants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]]));
  const start = performance.now();
  for (let round = -warmUps; round < repetitions; round += 1) {
    if (round >= leastRounds && performance.now() - start > limitMs) break;
    for (const name of rotate(names, round + warmUps)) {
      signal.throwIfAborted();
      const sample = await time(variants[name]);
      if (round >= 0) samples[name]?.push(sample);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summarize(samples[name] ?? [])])) as Record<
    Name,
    Summary
  >;
}

/** The median, the 95th percentile (nearest rank) and the failures. */
export function summarize(samples: readonly Sample[]): Summary {
  const times = samples.map(({ ms }) => ms).sort((a, b) => a - b);
  const rank = (share: number) => times[Math.max(0, Math.ceil(share * times.length) - 1)] ?? 0;
  const failures = samples.flatMap(({ failure }) => failure ?? []);
  return {
    samples: samples.length,
    medianMs: rank(0.5),
    p95Ms: rank(0.95),
    failures: failures.length,
    ...(failures[0] === undefined ? {} : { failure: failures[0] }),
  };
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

async function time(send: Variant): Promise<Sample> {
  const start = performance.now();
  const failure = await send();
  const ms = performance.now() - start;
  return failure === undefined ? { ms } : { ms, failure };
}
