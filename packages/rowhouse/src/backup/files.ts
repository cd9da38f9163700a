import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { errorCode } from "../lib/errors.ts";
import type { BackupFile } from "./manifest.ts";

/** What a data directory holds. */
export interface Listing {
  readonly files: readonly string[];
  /** Those without anything in them. */
  readonly folders: readonly string[];
}

/**
 * Of these only the folder is copied: WAL comes from the archive, and the rest the server
 * creates at each start (PostgreSQL's manual, "Backing Up the Data Directory").
 */
const hollow = new Set([
  "pg_wal",
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);

const left = /^(postmaster\.(pid|opts)|backup_label.*|tablespace_map.*|current_logfiles)$/;
const temporary = /^(pgsql_tmp.*|pg_internal\.init.*)$/;

/** What is to be copied of a data directory. The control file comes last, as the manual wants. */
export function listData(dataDir: string): Listing {
  const files: string[] = [];
  const folders: string[] = ["pg_wal/archive_status", "pg_wal/summaries"];
  const walk = (folder: string) => {
    const entries = readdirSync(join(dataDir, folder), { withFileTypes: true });
    const kept = hollow.has(folder)
      ? []
      : entries.filter(({ name }) => !temporary.test(name) && !(folder === "" && left.test(name)));
    if (kept.length === 0) folders.push(folder);
    for (const entry of kept) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else files.push(path);
    }
  };
  walk("");
  const last = join("global", "pg_control");
  return { files: [...files.filter((file) => file !== last), last], folders };
}

/**
 * Copies a file, compressed, to the disk itself.
 *
 * @returns What the manifest keeps of it; undefined when the file was dropped meanwhile.
 */
export async function compress(
  from: string,
  root: string,
  path: string,
): Promise<BackupFile | undefined> {
  const to = join(root, path);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const meter = createMeter();
  try {
    await pipeline(
      createReadStream(from),
      createGzip({ level: 3 }),
      meter.stream,
      createWriteStream(to, { flags: "wx", mode: 0o600 }),
    );
  } catch (error) {
    rmSync(to, { force: true });
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  await sync(to);
  return { path, ...meter.result() };
}

/** The size and checksum of a file. */
export async function measure(root: string, path: string): Promise<BackupFile> {
  const meter = createMeter();
  await pipeline(createReadStream(join(root, path)), meter.stream, async (chunks) => {
    for await (const _ of chunks);
  });
  return { path, ...meter.result() };
}

/** Unpacks a compressed file. */
export async function decompress(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const target = createWriteStream(to, { flags: "wx", mode: 0o600 });
  await pipeline(createReadStream(from), createGunzip(), target);
}

/** Brings a file or folder to the disk itself. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Does something for each item, a few at a time; a failure or the signal ends it. */
export async function forEach<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items].reverse();
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) {
      signal.throwIfAborted();
      await work(item);
    }
  };
  const guarded = () =>
    worker().catch((error) => {
      rest.length = 0;
      throw error;
    });
  // All of them, before a failure is thrown: no worker may still write into what is then removed.
  const ends = await Promise.allSettled(Array.from({ length: 6 }, guarded));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function createMeter(): { stream: Transform; result: () => Omit<BackupFile, "path"> } {
  const hash = createHash("sha256");
  let size = 0;
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ size, sha256: hash.digest("hex") }) };
}
