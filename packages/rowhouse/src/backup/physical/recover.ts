import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import { findPostgres, postgresVersion } from "../../stack/binaries.ts";
import { launchPostgres } from "../../stack/postgres.ts";
import { lastLines, type Server } from "../../stack/process.ts";
import { chooseIdentity, give, type Identity } from "../../stack/unprivileged.ts";
import { restoreCommand } from "../../stack/wal-archive.ts";
import { startWatchdog } from "../../stack/watchdog.ts";
import { dataFiles, dataFolders } from "../checksums.ts";
import { decompress, forEach } from "../files.ts";
import type { Backup } from "../manifest.ts";
import { findUnreached } from "../wal.ts";
import { type End, waitForPromotion } from "./promotion.ts";
import { recoverySettings, type Target } from "./target.ts";

/** What a recovery works with. */
export interface Recovery {
  readonly backup: Backup;
  readonly identity: Identity;
  /** A folder that is not there yet. */
  readonly dataDir: string;
  /** The folder with the WAL. */
  readonly walDir: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/**
 * Plans the recovery of a backup.
 *
 * @param dir The home or folder that the data goes into.
 * @param names What the folders of the data and of the WAL are called there.
 */
export function createRecovery(
  backup: Backup,
  dir: string,
  names: { readonly data: string; readonly wal: string },
  signal: AbortSignal,
): Recovery {
  const identity = chooseIdentity(findPostgres(), dir);
  return {
    backup,
    identity,
    dataDir: join(identity.place, names.data),
    walDir: join(identity.place, names.wal),
    logFile: join(dir, "restore.log"),
    signal,
  };
}

/** A restored server that runs, and that only this user can reach. */
export interface Recovered {
  /** The URL of a database on it; no password is asked for. */
  readonly url: (database: string, role?: string) => string;
  /** When the last transaction was committed that it holds of the WAL; null when there was none. */
  readonly lastCommit: string | null;
  /** Whether the WAL ended before the wanted time: nothing was written in between. */
  readonly endedBefore: boolean;
  readonly stop: () => Promise<void>;
}

/**
 * Unpacks a backup.
 *
 * @throws RowhouseError restore_refused for another major version of PostgreSQL.
 */
export async function unpack({ backup, dataDir, identity, signal }: Recovery): Promise<void> {
  const [major, version] = postgresVersion(identity.native);
  if (Number.parseInt(backup.manifest.postgresVersion, 10) !== major) {
    throw new RowhouseError(
      "restore_refused",
      `The backup ${backup.name} is of PostgreSQL ${backup.manifest.postgresVersion}, and this is PostgreSQL ${version}.`,
      "Restore it with the Rowhouse that made it, and dump it there.",
    );
  }
  const folders = new Set(dataFolders(backup, dataDir));
  const files = dataFiles(backup);
  for (const { to } of files) folders.add(dirname(join(dataDir, to)));
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
  await forEach(files, signal, async ({ from, to }) => {
    await decompress(join(backup.dir, from), join(dataDir, to));
    give(join(dataDir, to), identity);
  });
  writeFileSync(join(dataDir, "recovery.signal"), "", { mode: 0o600 });
  give(join(dataDir, "recovery.signal"), identity);
  for (const folder of folders) giveFolder(folder, dataDir, identity);
}

function giveFolder(folder: string, root: string, identity: Identity): void {
  for (let at = folder; at.startsWith(root); at = dirname(at)) give(at, identity);
}

/**
 * Starts the server on what was unpacked, rolls it on to the target, and lets it go on from there.
 *
 * @param extra Further settings of the server.
 * @throws RowhouseError restore_failed, with the end of the server's log.
 */
export async function recover(
  recovery: Recovery,
  target: Target,
  extra: Record<string, string> = {},
): Promise<Recovered> {
  // A socket in a directory of its own: no other user can connect, so no password is needed.
  rmSync(recovery.logFile, { force: true }); // An earlier recovery's log would mislead.
  const socketDir = mkdtempSync(join(tmpdir(), "rowhouse-socket-"));
  writeFileSync(join(socketDir, "hba.conf"), "local all all trust\n", { mode: 0o600 });
  give(join(socketDir, "hba.conf"), recovery.identity);
  give(socketDir, recovery.identity);
  const close = () => rmSync(socketDir, { recursive: true, force: true });
  try {
    const settings = { ...socketSettings(socketDir), ...walSettings(recovery), ...extra };
    return await replayTo(recovery, target, settings, socketDir, close);
  } catch (error) {
    close();
    throw error;
  }
}

async function replayTo(
  recovery: Recovery,
  target: Target,
  settings: Record<string, string>,
  socketDir: string,
  close: () => void,
): Promise<Recovered> {
  const { dataDir, identity, logFile, backup } = recovery;
  const cluster = { dataDir, identity, logFile, password: "", version: "" };
  const url = (database: string, role = "postgres") =>
    `postgres://${role}@localhost:5432/${database}?host=${encodeURIComponent(socketDir)}`;
  const server = await launchPostgres(cluster, 5432, {
    ...settings,
    ...recoverySettings(target, backup),
  });
  startWatchdog()([server]);
  const end = await waitForPromotion(url("postgres"), server, recovery.signal);
  if (end !== undefined) {
    if (target.kind === "latest") await assertReached(recovery, target.timeline, end, server);
    const stop = () => server.stop().finally(close);
    return { url, lastCommit: end.lastCommit, endedBefore: false, stop };
  }
  const cameShort = target.kind === "time" && endedEarly(logFile);
  if (!cameShort) throw createPromotionError(backup, server, logFile);
  // The WAL has no transaction at or after that moment: all of it is what there was then.
  const rest = { kind: "latest", timeline: target.timeline } as const;
  return { ...(await replayTo(recovery, rest, settings, socketDir, close)), endedBefore: true };
}

function socketSettings(socketDir: string): Record<string, string> {
  return {
    listen_addresses: "",
    unix_socket_directories: socketDir,
    hba_file: join(socketDir, "hba.conf"),
  };
}

function walSettings({ walDir }: Recovery): Record<string, string> {
  return { archive_mode: "off", restore_command: restoreCommand(walDir) };
}

/**
 * A server silently takes WAL that it cannot read for the end of it. So this checks that it reached
 * the last segment there is: otherwise later writes would be missing unnoticed.
 */
async function assertReached(
  { walDir, backup }: Recovery,
  timeline: number,
  { replayed }: End,
  server: Server,
): Promise<void> {
  const last = findUnreached(walDir, timeline, replayed);
  if (last === undefined) return;
  await server.stop();
  throw new RowhouseError(
    "restore_failed",
    `The WAL after the backup ${backup.name} can be read up to ${replayed} alone, and goes on to the segment ${last}: one between is damaged.`,
    "The existing data was not changed. Every earlier point in time can be restored: give an earlier --to.",
  );
}

function endedEarly(logFile: string): boolean {
  return lastLines(logFile, 15).includes("recovery ended before configured recovery target");
}

function createPromotionError({ name }: Backup, server: Server, logFile: string): RowhouseError {
  const log = existsSync(logFile) ? lastLines(logFile, 12) : "";
  const short = log.includes("recovery ended before configured recovery target")
    ? "its WAL ends before that time"
    : `the server ended (${server.end() ?? "no answer"})`;
  return new RowhouseError(
    "restore_failed",
    `Cannot recover the backup ${name} to that point in time: ${short}. The end of the log:\n${log}`,
    "The existing data was not changed. See the log; try an older backup.",
  );
}
