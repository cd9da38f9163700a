import { availableParallelism } from "node:os";
import { join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import { judgeDeclared, readEquivalents } from "./equivalents.ts";
import type { Mutant, Verdict } from "./mutant.ts";
import { findRedWithoutMutant, type TestBed, tryMutant } from "./trial.ts";

/** A worker waits a good part of its time: for the disk, and for others that make databases. */
const workersPerCore = 2;

/** Each has up to two connections, and the server takes a hundred. */
const mostWorkers = 32;

/**
 * Tries every mutant, on all cores. Those of roles come last, one after the other: a role belongs
 * to the server, so all copies would feel it.
 *
 * @param onVerdict Called with each verdict as it comes.
 * @returns The verdicts, in the order of the mutants.
 * @throws RowhouseError tests_red, when a pgTAP file fails where nothing was weakened.
 */
export async function runMutants(
  testBed: TestBed,
  mutants: readonly Mutant[],
  onVerdict: (verdict: Verdict) => void = () => {},
): Promise<Verdict[]> {
  await assertGreen(testBed);
  const equivalents = readEquivalents(testBed.files);
  const verdicts = new Map<Mutant, Verdict>();
  const attempt = async (mutant: Mutant) => {
    const verdict = judgeDeclared(await tryMutant(testBed, mutant), equivalents);
    verdicts.set(mutant, verdict);
    onVerdict(verdict);
  };
  const workers = Math.min(availableParallelism() * workersPerCore, mostWorkers);
  await inParallel(
    mutants.filter(({ undo }) => undo === null),
    workers,
    attempt,
  );
  await inParallel(
    mutants.filter(({ undo }) => undo !== null),
    1,
    attempt,
  );
  return mutants.flatMap((mutant) => verdicts.get(mutant) ?? []);
}

async function assertGreen(testBed: TestBed): Promise<void> {
  const reds = await findRedWithoutMutant(testBed);
  if (reds.length === 0) return;
  const list = reds.map(
    ({ file, assertion }) => `\n  ${join("tests/database", file)}: ${assertion}`,
  );
  const lacksExtension = reds.some(({ assertion }) =>
    /^error: extension .* is not available$/.test(assertion),
  );
  throw new RowhouseError(
    "tests_red",
    `The pgTAP files must pass before anything is weakened. The first failure of each that does not:${list.join("")}`,
    `\`npx vitest run tests/database\` shows more. Fix the tests, or sql/ and policies/.${lacksExtension ? extensionRemedy : ""}`,
  );
}

const extensionRemedy =
  " SCRATCH_URL names a server that has the extension; or make what the tests use of it by a file in platform/, and take CREATE EXTENSION out of them.";

async function inParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
