import { randomUUID } from "node:crypto";
import type { Column } from "./tables.ts";

/** How long a made-up text may become. */
const longest = 20_000;

/**
 * Values that a column may take, as JSON, the likeliest first: by its type, and by the numbers and
 * texts that its check constraints hold.
 *
 * @param seed Makes the first ones differ from those of another seed.
 */
export function candidatesFor(column: Column, seed: number): unknown[] {
  const { element, labels } = column;
  if (element !== null) {
    const one = labels ?? valuesOf(element, column, seed);
    return [[], ...one.slice(0, 3).map((value) => [value])];
  }
  if (labels !== null) return [...labels];
  return distinct(valuesOf(column.type, column, seed)).filter((value) => fits(column, value));
}

function fits({ maxLength, digits }: Column, value: unknown): boolean {
  if (typeof value === "string") return maxLength === null || value.length <= maxLength;
  return typeof value !== "number" || digits === null || Math.abs(value) < 10 ** digits;
}

/** The id of a row that is not there; undefined for a type that none can be made up of. */
export function absentId(column: Column, seed: number): unknown {
  if (column.type === "uuid") return uuidV7();
  if (column.type === "smallint") return 32_767 - (seed % 1000);
  if (isWhole(column.type)) return 2_147_483_647 - (seed % 1000);
  return isText(column.type) ? `absent-${seed}` : undefined;
}

/** A UUID of version 7, as far as its shape goes. */
function uuidV7(): string {
  return randomUUID().replace(/^(.{14})./, "$17");
}

function valuesOf(type: string, { checks }: Column, seed: number): unknown[] {
  const numbers = distinct(checks.flatMap(numbersOf));
  if (isText(type)) return textsFor(seed, numbers, distinct(checks.flatMap(stringsOf)));
  if (isWhole(type)) return wholeNumbers(type, seed, numbers);
  if (isFraction(type)) return [...wholeNumbers(type, seed, numbers), 0.5, 0.01];
  return byType[type]?.(seed) ?? [];
}

/** Lengths are numbers in a check, allowed words are texts. */
function textsFor(seed: number, numbers: number[], words: string[]): string[] {
  const lengths = numbers
    .flatMap((number) => [number, number + 1, number - 1])
    .filter((length) => Number.isInteger(length) && length > 0 && length <= longest);
  const suffix = seed === 0 ? "" : String(seed);
  return [
    `Say hello ${suffix}`.trim(),
    ...words,
    `hello${suffix}`,
    `hello${suffix}@example.com`,
    `https://example.com/${suffix}`,
    ...["1", "a", "A", "aa", "AA", "aaa", "AAA", "#aabbcc", "+4312345678", "2026-01-02", "12:00"],
    ...["aa-AA", "1.0.0", "{}", uuidV7()],
    ...lengths.flatMap((length) => ["a", "A", "1"].map((letter) => letter.repeat(length))),
  ];
}

function wholeNumbers(type: string, seed: number, numbers: number[]): number[] {
  const first = type === "smallint" ? seed % 30_000 : seed;
  const near = numbers.flatMap((number) => [number, number + 1, number - 1]);
  return distinct([Math.max(first, 1), ...near, 0, 1, 2, 10, 100, 1000, -1, 2026]).filter(
    (number) => !isWhole(type) || Number.isInteger(number),
  );
}

const days = ["2026-01-02", "2026-01-03", "2000-01-01", "2100-01-01"];
const moments = days.map((day) => `${day}T00:00:00Z`);
const times = ["12:00", "13:00"];

const byType: Record<string, (seed: number) => unknown[]> = {
  uuid: () => [uuidV7(), randomUUID()],
  boolean: () => [true, false],
  date: () => days,
  "timestamp without time zone": () => moments,
  "timestamp with time zone": () => moments,
  "time without time zone": () => times,
  "time with time zone": () => times,
  interval: () => ["1 day", "1 hour", "0"],
  json: () => [{}, [], "a", 1],
  jsonb: () => [{}, [], "a", 1],
  bytea: () => ["\\x00", "\\x0102"],
  inet: () => ["192.0.2.1", "192.0.2.2"],
  cidr: () => ["192.0.2.0/24", "198.51.100.0/24"],
  macaddr: () => ["08:00:2b:01:02:03", "08:00:2b:01:02:04"],
  point: () => ["(0,0)", "(1,1)"],
  tsvector: () => ["hello", "world"],
  bit: () => ["1", "0"],
  "bit varying": () => ["1", "0"],
  xml: () => ["<a/>", "<b/>"],
  money: (seed) => [Math.max(seed, 1), 2],
  int4range: () => ["[1,2)", "[1,3)"],
  int8range: () => ["[1,2)", "[1,3)"],
  numrange: () => ["[1,2)", "[1,3)"],
  daterange: () => ["[2026-01-02,2026-01-03)", "[2026-01-02,2026-01-04)"],
  tsrange: () => ["[2026-01-02,2026-01-03)", "[2026-01-02,2026-01-04)"],
  tstzrange: () => ["[2026-01-02,2026-01-03)", "[2026-01-02,2026-01-04)"],
};

function isText(type: string): boolean {
  return /^(text|character varying|character|citext|name|.*\.citext)$/.test(type);
}

function isWhole(type: string): boolean {
  return ["smallint", "integer", "bigint"].includes(type);
}

function isFraction(type: string): boolean {
  return ["numeric", "real", "double precision"].includes(type);
}

function stringsOf(check: string): string[] {
  return [...check.matchAll(/'((?:[^']|'')*)'/g)].map(([, text = ""]) =>
    text.replaceAll("''", "'"),
  );
}

function numbersOf(check: string): number[] {
  const bare = check.replace(/'((?:[^']|'')*)'/g, (quoted) =>
    /^'-?[\d.]+'$/.test(quoted) ? quoted : "''",
  );
  return [...bare.matchAll(/(?<![\w.])-?\d+(?:\.\d+)?/g)].map(Number);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
