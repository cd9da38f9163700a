import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import type { Progress } from "../../lib/progress.ts";
import { readCatalogOn } from "../../schema/catalog/catalog.ts";
import { findPostgres } from "../../stack/binaries.ts";
import { withClient } from "../../stack/database.ts";
import type { Home } from "../../stack/home.ts";
import { chooseIdentity, give } from "../../stack/unprivileged.ts";
import { getWalDir } from "../../stack/wal-archive.ts";
import { readFacts } from "../facts.ts";
import { compress, forEach, listData, measure } from "../files.ts";
import { type BackupFile, hashCatalog, type Manifest } from "../manifest.ts";
import type { Draft } from "../store.ts";
import { listSegments } from "../wal.ts";
import { keepWal } from "./keep-wal.ts";
import { withRestorePoint } from "./restore-point.ts";

/** The facts about a server that a backup needs. */
interface ServerFacts {
  readonly dataDir: string;
  readonly version: string;
  readonly archiveMode: string;
  readonly systemIdentifier: string;
  readonly database: string;
  readonly tablespaces: number;
}

/**
 * Copies the embedded server's data while it is written to, and the WAL that makes the copy whole.
 *
 * @throws RowhouseError backup_failed
 */
export async function takePhysical(
  url: string,
  home: Home,
  draft: Draft,
  progress: Progress,
): Promise<Manifest> {
  const startedAt = new Date().toISOString();
  const server = await serverFacts(url);
  assertSound(server);
  const walDir = openArchive(home);
  const copied = await copyWhileRunning(url, server, draft, progress);
  return withRestorePoint(url, `rowhouse ${draft.name}`, progress, async (reader, restorePoint) => {
    const facts = await readFacts(reader, (table) => {
      progress.signal.throwIfAborted();
      progress.report(`Counting ${table} ...`);
    });
    const catalog = await readCatalogOn(reader);
    writeFileSync(join(draft.dir, "catalog.json"), JSON.stringify(catalog), { mode: 0o600 });
    const wal = await keepWal(
      url,
      walDir,
      draft,
      listSegments(copied.timeline, copied.startLsn, restorePoint.lsn),
      progress,
    );
    return {
      kind: "physical",
      startedAt,
      finishedAt: restorePoint.at,
      postgresVersion: server.version,
      database: server.database,
      systemIdentifier: server.systemIdentifier,
      startLsn: copied.startLsn,
      stopLsn: copied.stopLsn,
      timeline: copied.timeline,
      restorePoint: restorePoint.name,
      wal: wal.map(({ path }) => path),
      files: [...copied.files, await measure(draft.dir, "catalog.json"), ...wal],
      folders: copied.folders,
      ...facts,
      sequences: restorePoint.sequences,
      catalog: hashCatalog(catalog),
    };
  });
}

async function serverFacts(url: string): Promise<ServerFacts> {
  const query = readFileSync(join(import.meta.dirname, "../facts", "server.sql"), "utf8");
  return withClient(url, async (client) => {
    const { rows } = await client.query<ServerFacts>(query);
    return rows[0] as ServerFacts;
  });
}

function assertSound({ archiveMode, tablespaces }: ServerFacts): void {
  const fault =
    archiveMode !== "on"
      ? "The running stack was started by a Rowhouse that archived no WAL."
      : tablespaces > 0
        ? "The data has tablespaces outside its directory."
        : undefined;
  if (fault === undefined) return;
  throw new RowhouseError(
    "backup_failed",
    fault,
    archiveMode === "on" ? "Dump it with pg_dump: --url." : "Restart the stack, and try again.",
  );
}

/** From now on the server keeps its WAL there. */
function openArchive(home: Home): string {
  const identity = chooseIdentity(findPostgres(), home.dir);
  const walDir = getWalDir(identity.place);
  mkdirSync(walDir, { recursive: true, mode: 0o700 });
  give(walDir, identity);
  return walDir;
}

interface Copied {
  readonly files: BackupFile[];
  readonly folders: string[];
  readonly timeline: number;
  readonly startLsn: string;
  readonly stopLsn: string;
}

/** The session that begins a backup must end it: when it breaks off, the server ends its part. */
async function copyWhileRunning(
  url: string,
  { dataDir }: ServerFacts,
  draft: Draft,
  { report, signal }: Progress,
): Promise<Copied> {
  return withClient(url, async (client) => {
    const start = await client.query<{ lsn: string; segment: string }>(
      "select lsn::text, pg_walfile_name(lsn) as segment from pg_backup_start($1, fast => true) as lsn",
      [`rowhouse ${draft.name}`],
    );
    const { lsn: startLsn = "", segment = "" } = start.rows[0] ?? {};
    const listing = listData(dataDir);
    const files: BackupFile[] = [];
    let seen = 0;
    const copyOne = async (path: string) => {
      const file = await compress(join(dataDir, path), draft.dir, join("data", `${path}.gz`));
      if (file) files.push(file);
      seen += 1;
      if (seen % 250 === 0) report(`Copied ${seen} of ${listing.files.length} files ...`);
    };
    await forEach(listing.files.slice(0, -1), signal, copyOne);
    await forEach(listing.files.slice(-1), signal, copyOne); // The control file.
    const { label, lsn } = await stopBackup(client);
    files.push(await keepLabel(draft, label));
    return {
      files,
      folders: [...listing.folders],
      timeline: Number.parseInt(segment.slice(0, 8), 16),
      startLsn,
      stopLsn: lsn,
    };
  });
}

async function stopBackup(client: pg.Client): Promise<{ lsn: string; label: string }> {
  // The archive is waited for later, once and with a limit.
  const { rows } = await client.query<{ lsn: string; label: string }>(
    "select lsn::text, labelfile as label from pg_backup_stop(wait_for_archive => false)",
  );
  return rows[0] ?? { lsn: "", label: "" };
}

/** Without its label a copy would start as if after a crash, and be corrupt unnoticed. */
async function keepLabel(draft: Draft, label: string): Promise<BackupFile> {
  const path = join("data", "backup_label.gz");
  writeFileSync(join(draft.dir, path), gzipSync(label), { mode: 0o600, flush: true });
  return measure(draft.dir, path);
}
