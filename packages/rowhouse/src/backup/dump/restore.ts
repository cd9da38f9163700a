import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import type { Progress } from "../../lib/progress.ts";
import { openProject } from "../../lib/project.ts";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { inDatabase, withClient, withoutPassword } from "../../stack/database.ts";
import { findLogin } from "../../stack/find-login.ts";
import { loginUrl, setPassword } from "../../stack/login.ts";
import { openOwnScratch } from "../../stack/scratch.ts";
import { assertIntact } from "../checksums.ts";
import { attempt } from "../drill/checks.ts";
import type { BringUp } from "../drill/drill.ts";
import type { Backup } from "../manifest.ts";
import { dumpFiles } from "./dump.ts";
import { findTool, runTool } from "./tools.ts";

/**
 * Restores a dump into an empty database: roles first, then everything else.
 *
 * @throws RowhouseError backup_damaged, restore_refused when it is not empty, restore_failed,
 *   tool_missing
 */
export async function restoreDump(
  backup: Backup,
  url: string,
  { report, signal }: Progress,
): Promise<void> {
  report("Comparing checksums ...");
  await assertIntact(backup, signal);
  await assertEmpty(url);
  const major = Number.parseInt(backup.manifest.postgresVersion, 10);
  const pgRestore = await findTool("pg_restore", major);
  report("Restoring roles ...");
  await runStatements(url, join(backup.dir, dumpFiles.roles));
  report("Restoring tables and rows ...");
  await restoreRows(pgRestore, join(backup.dir, dumpFiles.rows), url, signal);
  await runStatements(url, join(backup.dir, dumpFiles.database));
}

async function restoreRows(
  pgRestore: string,
  file: string,
  url: string,
  signal: AbortSignal,
): Promise<void> {
  await withTemporaryFolder("list", async (dir) => {
    const content = await runTool(pgRestore, ["--list", file], url, "restore_failed", signal);
    // Those name their role, and are among the statements of the database.
    const list = content.replace(/^\d+; \d+ \d+ DEFAULT ACL .*\n/gm, "");
    writeFileSync(join(dir, "list"), list);
    const args = [
      "--no-password",
      // Everything is owned by the role that restores it.
      "--no-owner",
      // All of it or nothing.
      "--single-transaction",
      `--use-list=${join(dir, "list")}`,
      `--dbname=${decodeURIComponent(new URL(url).pathname.slice(1))}`,
      file,
    ];
    await runTool(pgRestore, args, url, "restore_failed", signal);
  });
}

async function assertEmpty(url: string): Promise<void> {
  const query = readFileSync(join(import.meta.dirname, "../facts", "leftovers.sql"), "utf8");
  const count = await withClient(url, async (client) => {
    const { rows } = await client.query<{ count: number }>(query);
    return rows[0]?.count ?? 0;
  });
  if (count === 0) return;
  throw new RowhouseError(
    "restore_refused",
    `${withoutPassword(url)} is not empty: it holds ${count} objects. Nothing was changed.`,
    "Create a database for it, and name that one with --url.",
  );
}

/** All of a file of statements, or none of it: they are sent as one, which is one transaction. */
async function runStatements(url: string, file: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(readFileSync(file, "utf8"));
  }).catch((error) => {
    if (error instanceof RowhouseError) throw error;
    throw new RowhouseError(
      "restore_failed",
      `The statements of ${file} failed: ${errorMessage(error)}.`,
      "Restore as a role that may: the database's owner with CREATEROLE, or a superuser. None of that file was kept; drop the database and create it again before you retry.",
      { cause: error },
    );
  });
}

/** Raises a dump on a scratch server. */
export const bringUpDump: BringUp = async (backup, _dir, progress) => {
  const scratch = await openOwnScratch();
  try {
    // A dump holds the stubs of the platform, too.
    const url = await scratch.create(inDatabase(scratch.serverUrl, "template0"));
    await restoreDump(backup, url, progress);
    const password = randomBytes(32).toString("hex");
    const login = await findLogin(url, openProject());
    await setPassword(url, login, password);
    return {
      checks: [],
      database: { url, apiUrl: loginUrl(url, login, password), stop: scratch.close },
    };
  } catch (error) {
    await scratch.close();
    progress.signal.throwIfAborted();
    const failed = await attempt("restore", () => Promise.reject(error));
    return { checks: [failed], database: undefined };
  }
};
