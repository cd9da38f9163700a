import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The name of an archived segment, as PostgreSQL calls it and as it is kept, compressed. */
const segmentFile = /^([0-9A-F]{24})\.gz$/;
const historyFile = /^([0-9A-F]{8})\.history\.gz$/;

/** What PostgreSQL is built with; ours is. */
export const segmentSize = 16 * 1024 * 1024;

/** The number of the segment that a position is in. */
function numberOf(lsn: string): number {
  const [high = "0", low = "0"] = lsn.split("/");
  return (Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)) / segmentSize;
}

/** The segments of a timeline from one position to another. */
export function segmentsBetween(timeline: number, from: string, to: string): string[] {
  const [first, last] = [Math.floor(numberOf(from)), Math.floor(numberOf(to))];
  return Array.from({ length: last - first + 1 }, (_, index) => nameOf(timeline, first + index));
}

function nameOf(timeline: number, number: number): string {
  const part = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  return part(timeline) + part(Math.floor(number / 256)) + part(number % 256);
}

/** Where a segment stands in the order of all, whatever its timeline. */
export function orderOf(segment: string): number {
  return (
    Number.parseInt(segment.slice(8, 16), 16) * 256 + Number.parseInt(segment.slice(16, 24), 16)
  );
}

/** The archived segments, oldest first. */
export function archivedSegments(walDir: string): string[] {
  return namesIn(walDir, segmentFile).sort(
    (one, other) => orderOf(one) - orderOf(other) || (one < other ? -1 : 1),
  );
}

/** The first segment that is not there between the first and the last of those that are. */
export function firstGap(segments: readonly string[]): string | undefined {
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (next !== undefined && orderOf(next) > orderOf(segment) + 1) {
      return nameOf(Number.parseInt(segment.slice(0, 8), 16), orderOf(segment) + 1);
    }
  }
  return undefined;
}

/**
 * The timeline that the database was on at a moment. A restore begins a new one, which leaves the
 * time after the restored moment on the old: to go back there, that one has to be followed. When a
 * timeline began is known from the age of its history file in the archive.
 */
export function timelineAt(walDir: string, first: number, moment: Date): number {
  const begun = namesIn(walDir, historyFile)
    .filter((name) => statSync(join(walDir, `${name}.history.gz`)).mtime <= moment)
    .map((name) => Number.parseInt(name, 16));
  return Math.max(first, ...begun);
}

function namesIn(walDir: string, pattern: RegExp): string[] {
  if (!existsSync(walDir)) return [];
  return readdirSync(walDir).flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

/** When the newest segment was archived. */
export function lastArchivedAt(walDir: string): Date | undefined {
  const times = archivedSegments(walDir).map((name) => statSync(join(walDir, `${name}.gz`)).mtime);
  return times.sort((one, other) => one.getTime() - other.getTime()).at(-1);
}
