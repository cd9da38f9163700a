import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errorCode, RowhouseError } from "../lib/errors.ts";
import { timestamp } from "../lib/format.ts";
import { findPostgres } from "../stack/binaries.ts";
import type { Home } from "../stack/home.ts";
import { chooseIdentity } from "../stack/unprivileged.ts";
import { getWalDir } from "../stack/wal-archive.ts";
import { type Backup, describeDatabase, readBackup } from "./manifest.ts";

/** A backup's folder is named after the moment that it was begun: 20261121T030000Z. */
const backupName = /^\d{8}T\d{6}Z(-\d+)?$/;
const draftName = /^\d{8}T\d{6}Z(-\d+)?\.part$/;

/** The folder of a home's backups. */
export function backupsDir(home: Home): string {
  return join(home.dir, "backups");
}

/** The names of the complete backups of a home, the oldest first. */
export function listBackupNames(home: Home): string[] {
  const dir = backupsDir(home);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => backupName.test(name))
    .sort();
}

/** The complete backups whose manifest can be read, the oldest first. */
export function listBackups(home: Home): Backup[] {
  return listBackupNames(home).flatMap((name) => {
    try {
      return [readBackup(join(backupsDir(home), name), name)];
    } catch {
      return []; // Restoring or drilling it by name reports what is wrong with it.
    }
  });
}

/**
 * The newest backup of each database that a home holds backups of, the newest first.
 *
 * @throws RowhouseError backup_unknown; backup_damaged when the newest of all cannot be read
 */
export function findNewestBackups(home: Home): Backup[] {
  findBackup(home, undefined);
  const newest = new Map<string, Backup>();
  for (const one of listBackups(home)) newest.set(describeDatabase(one.manifest), one);
  return [...newest.values()].sort((one, other) => (one.name < other.name ? 1 : -1));
}

/**
 * One backup of a home: the named one, else the newest.
 *
 * @param kind The newest of this kind; any when it is left out.
 * @throws RowhouseError backup_unknown, backup_damaged
 */
export function findBackup(
  home: Home,
  name: string | undefined,
  kind?: Backup["manifest"]["kind"],
) {
  const names = listBackupNames(home);
  const candidates = names.filter((one) => name === undefined || one === name).reverse();
  for (const one of candidates) {
    const backup = readBackup(join(backupsDir(home), one), one);
    if (kind === undefined || backup.manifest.kind === kind) return backup;
  }
  throw new RowhouseError(
    "backup_unknown",
    `There is no ${name === undefined && kind ? `${kind} backup` : `backup${name ? ` ${name}` : ""}`} in ${backupsDir(home)}.`,
    names.length === 0 ? "Make one: `npx rowhouse backup`." : `There are: ${names.join(", ")}.`,
  );
}

/** A backup that is being written: beside the others, under a name that marks it as incomplete. */
export interface Draft {
  readonly name: string;
  readonly dir: string;
  /** Gives it its name; never one that is there. */
  readonly keep: () => void;
  readonly discard: () => void;
}

/** Begins a backup, and removes what killed ones left. */
export function beginDraft(home: Home, now = new Date()): Draft {
  const dir = backupsDir(home);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  removeLeftovers(dir);
  const name = claimName(dir, timestamp(now));
  const draft = join(dir, `${name}.part`);
  writeFileSync(join(draft, "pid"), String(process.pid), { mode: 0o600 });
  return {
    name,
    dir: draft,
    keep: () => {
      rmSync(join(draft, "pid"));
      renameSync(draft, join(dir, name));
    },
    discard: () => rmSync(draft, { recursive: true, force: true }),
  };
}

/** The draft's folder is the claim to the name: of two makers one gets it. */
function claimName(dir: string, stamp: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? stamp : `${stamp}-${number}`;
    if (existsSync(join(dir, name)) || existsSync(join(dir, `${name}.part`))) continue;
    mkdirSync(join(dir, `${name}.part`), { mode: 0o700 });
    return name;
  }
}

function removeLeftovers(dir: string): void {
  for (const name of readdirSync(dir).filter((one) => draftName.test(one))) {
    const draft = join(dir, name);
    try {
      if (!isBeingWritten(draft)) rmSync(draft, { recursive: true, force: true });
    } catch {
      // What cannot be removed must not keep the next backup from being made.
    }
  }
}

/** A draft that was just begun has no pid file yet. */
function isBeingWritten(draft: string): boolean {
  const file = join(draft, "pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (pid === 0) return statSync(draft).mtimeMs > Date.now() - 60_000;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === "EPERM"; // Another user's process; otherwise it is gone.
  }
}

/** Where the embedded server of a home archives its WAL. */
export function getArchiveDir(home: Home): string {
  return getWalDir(chooseIdentity(findPostgres(), home.dir).place);
}
