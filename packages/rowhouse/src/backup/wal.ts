import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** The name of an archived segment, as PostgreSQL calls it and as it is kept, compressed. */
const segmentFile = /^([0-9A-F]{24})\.gz$/;
const historyFile = /^([0-9A-F]{8})\.history\.gz$/;

/** What PostgreSQL is built with; ours is. */
export const segmentSize = 16 * 1024 * 1024;

/** The number of the segment that a position is in. */
function segmentNumber(lsn: string): number {
  const [high = "0", low = "0"] = lsn.split("/");
  return (Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)) / segmentSize;
}

/** The segments of a timeline from one position to another. */
export function listSegments(timeline: number, from: string, to: string): string[] {
  const [first, last] = [Math.floor(segmentNumber(from)), Math.floor(segmentNumber(to))];
  return Array.from({ length: last - first + 1 }, (_, index) =>
    segmentName(timeline, first + index),
  );
}

function segmentName(timeline: number, number: number): string {
  const part = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  return part(timeline) + part(Math.floor(number / 256)) + part(number % 256);
}

/** The segment that a path of an archived file names; empty when it names none. */
export function findSegment(path: string): string {
  return /([0-9A-F]{24})[^/]*\.gz$/.exec(path)?.[1] ?? "";
}

/** Where a segment stands in the order of all, whatever its timeline. */
export function segmentOrder(segment: string): number {
  return (
    Number.parseInt(segment.slice(8, 16), 16) * 256 + Number.parseInt(segment.slice(16, 24), 16)
  );
}

/** The archived segments of a folder, or of several together; oldest first. */
export function listArchived(...folders: readonly string[]): string[] {
  const names = new Set(folders.flatMap((folder) => listNames(folder, segmentFile)));
  return [...names].sort(
    (one, other) => segmentOrder(one) - segmentOrder(other) || (one < other ? -1 : 1),
  );
}

/** Whether what was replayed up to a position has come to the last archived segment of its timeline. */
export function findUnreached(
  walDir: string,
  timeline: number,
  replayed: string,
): string | undefined {
  const last = listArchived(walDir).findLast((segment) => parseTimeline(segment) === timeline);
  return last !== undefined && segmentOrder(last) > Math.floor(segmentNumber(replayed))
    ? last
    : undefined;
}

/**
 * The first segment that is not there between the first and the last of those that are: of all
 * together, and of each timeline, since another timeline's segment fills no gap.
 */
export function findFirstGap(segments: readonly string[]): string | undefined {
  const timelines = [...new Set(segments.map(parseTimeline))];
  const lists = timelines.map((one) =>
    segments.filter((segment) => parseTimeline(segment) === one),
  );
  return [segments, ...lists].map(findGap).find((gap) => gap !== undefined);
}

function parseTimeline(segment: string): number {
  return Number.parseInt(segment.slice(0, 8), 16);
}

function findGap(segments: readonly string[]): string | undefined {
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (next !== undefined && segmentOrder(next) > segmentOrder(segment) + 1) {
      return segmentName(parseTimeline(segment), segmentOrder(segment) + 1);
    }
  }
  return undefined;
}

/**
 * The timeline that the database was on at a moment. A restore begins a new one, which leaves the
 * time after the restored moment on the old: to go back there, that one has to be followed. When a
 * timeline began is known from its history file in the archive.
 */
export function findTimeline(walDir: string, first: number, moment: Date): number {
  const begun = listNames(walDir, historyFile)
    .filter((name) => readPackedTime(join(walDir, `${name}.history.gz`)) <= moment)
    .map((name) => Number.parseInt(name, 16));
  return Math.max(first, ...begun);
}

function listNames(walDir: string, pattern: RegExp): string[] {
  if (!existsSync(walDir)) return [];
  return readdirSync(walDir).flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

/** When the newest segment was archived. */
export function readLastArchived(walDir: string): Date | undefined {
  const times = listArchived(walDir).map((name) => readPackedTime(join(walDir, `${name}.gz`)));
  return times.sort((one, other) => one.getTime() - other.getTime()).at(-1);
}

/**
 * When the content of a file of the archive was written. The file's own time is that of its last
 * copying, so the second in gzip's header counts (RFC 1952), where there is one.
 */
function readPackedTime(file: string): Date {
  const { mtime } = statSync(file);
  const seconds = readHeader(file).readUInt32LE(4);
  const isUncopied = seconds === Math.floor(mtime.getTime() / 1000);
  return seconds === 0 || isUncopied ? mtime : new Date(seconds * 1000);
}

function readHeader(file: string): Buffer {
  const header = Buffer.alloc(8);
  const handle = openSync(file, "r");
  try {
    readSync(handle, header);
    return header;
  } finally {
    closeSync(handle);
  }
}

/** Packs a file for the archive, as gzip(1) does: with the time in its header. */
export function packWithTime(content: Buffer): Buffer {
  const packed = gzipSync(content);
  packed.writeUInt32LE(Math.floor(Date.now() / 1000), 4);
  return packed;
}
