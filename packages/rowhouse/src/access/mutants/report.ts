import { colours } from "../../lib/colours.ts";
import { mutantId } from "./equivalents.ts";
import { type Mutant, mutantTitle, type Verdict } from "./mutant.ts";

/** The mutants as a list to read, and to copy from: comments and SQL. */
export function listing(mutants: readonly Mutant[]): string[] {
  return mutants.map((mutant) => `${script(mutant)}\n`);
}

/** The whole result, in lines: a table by kind, what did not end well, and the score. */
export function report(verdicts: readonly Verdict[]): string[] {
  return [
    ...table(verdicts),
    ...section("equivalent", colours.dim, filterByOutcome(verdicts, "equivalent")),
    ...section("could not be tried", colours.yellow, filterByOutcome(verdicts, "failed")),
    ...section("survived", colours.red, filterByOutcome(verdicts, "survived")),
    "",
    score(verdicts),
  ];
}

/** Whether every mutant was tried and killed, but those that nothing can tell from the original. */
export function allKilled(verdicts: readonly Verdict[]): boolean {
  return verdicts.every(({ outcome }) => outcome === "killed" || outcome === "equivalent");
}

/** The whole result, for programs. */
export function reportForPrograms(verdicts: readonly Verdict[]): object {
  const count = (outcome: Verdict["outcome"]) => filterByOutcome(verdicts, outcome).length;
  return {
    total: verdicts.length,
    killed: count("killed"),
    survived: count("survived"),
    failed: count("failed"),
    equivalent: count("equivalent"),
    mutants: verdicts.map(({ mutant: { kind, object, sql }, ...rest }) => ({
      id: mutantId({ sql }),
      kind,
      object,
      sql,
      ...rest,
    })),
  };
}

function filterByOutcome(verdicts: readonly Verdict[], outcome: Verdict["outcome"]): Verdict[] {
  return verdicts.filter((verdict) => verdict.outcome === outcome);
}

function table(verdicts: readonly Verdict[]): string[] {
  const counted = verdicts.filter(({ outcome }) => outcome !== "equivalent");
  const kinds = [...new Set(counted.map(({ mutant }) => mutant.kind))];
  const width = Math.max(...kinds.map((kind) => kind.length), "kind".length);
  const line = (kind: string, ...numbers: (string | number)[]) =>
    [kind.padEnd(width), ...numbers.map((number) => String(number).padStart(8))].join(" ");
  const rows = kinds.map((kind) => {
    const those = counted.filter(({ mutant }) => mutant.kind === kind);
    const killed = filterByOutcome(those, "killed").length;
    const survived = filterByOutcome(those, "survived").length;
    const row = line(kind, killed, survived, those.length);
    return killed === those.length ? row : colours.red(row);
  });
  return [colours.dim(line("kind", "killed", "survived", "total")), ...rows];
}

function section(
  outcome: string,
  paint: (text: string) => string,
  verdicts: readonly Verdict[],
): string[] {
  return verdicts.flatMap(({ mutant, reason }) => [
    "",
    paint(
      `${outcome}: ${mutantTitle(mutant)} [${mutantId(mutant)}]${reason === null ? "" : ` (${reason})`}`,
    ),
    mutant.sql,
  ]);
}

function score(verdicts: readonly Verdict[]): string {
  const killed = filterByOutcome(verdicts, "killed").length;
  const equivalent = filterByOutcome(verdicts, "equivalent").length;
  const total = verdicts.length - equivalent;
  // Rounded down: 100 % means all, and not nearly all.
  const percent = total === 0 ? 100 : Math.floor((killed / total) * 100);
  const aside =
    equivalent === 0
      ? ""
      : ` (${equivalent} equivalent ${equivalent === 1 ? "mutant" : "mutants"} not counted)`;
  const line = `${killed} of ${total} killed${aside}: ${percent} %`;
  return allKilled(verdicts) ? colours.green(line) : colours.red(line);
}

function script(mutant: Mutant): string {
  return `${colours.dim(`-- ${mutantTitle(mutant)}`)}\n${mutant.sql}`;
}
