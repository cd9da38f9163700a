import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import type { Progress } from "../lib/progress.ts";
import { isConnectionLost } from "../stack/database.ts";
import type { Home } from "../stack/home.ts";
import { toDiskError } from "./disk-error.ts";
import { sync } from "./files.ts";
import type { Backup, Manifest } from "./manifest.ts";
import { backupsDir, beginDraft, type Draft } from "./store.ts";

/**
 * Makes a backup: written aside, brought to the disk, and named when it is complete. A failure or
 * an interruption leaves nothing of it.
 *
 * @param take Fills the draft, and returns its manifest.
 * @throws RowhouseError backup_failed
 */
export async function makeBackup(
  home: Home,
  progress: Progress,
  take: (draft: Draft) => Promise<Manifest>,
): Promise<Backup> {
  let draft: Draft | undefined;
  try {
    draft = beginDraft(home);
    const manifest = await take(draft);
    progress.signal.throwIfAborted();
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    writeFileSync(join(draft.dir, "manifest.json"), text, { mode: 0o600, flush: true });
    await sync(draft.dir);
    draft.keep();
    await sync(backupsDir(home));
    return { name: draft.name, dir: join(backupsDir(home), draft.name), manifest };
  } catch (error) {
    draft?.discard();
    if (isConnectionLost(error)) throw toServerError(error);
    const remedy = "Make room: nothing of the backup was kept, and those before it stay.";
    throw toDiskError(error, "backup_failed", remedy);
  }
}

function toServerError(cause: unknown): RowhouseError {
  return new RowhouseError(
    "backup_failed",
    `PostgreSQL ended while the backup was made: ${errorMessage(cause)}.`,
    "See the server's log, and try again: nothing of the backup was kept, and those before it stay.",
    { cause },
  );
}
