import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";

/** How long it must be quiet before a save counts as done: editors write in several steps. */
const quietMs = 40;

/** Watches folders, one round of work at a time. */
export interface Watcher {
  /** Resolves when the work that runs, if any, has ended; none is begun any more. */
  readonly close: () => Promise<void>;
}

/**
 * Calls `work` after each change below some folders, those included that are made later. What
 * changes while it works is worked on in a next round.
 *
 * @param work Must not reject.
 */
export function watchFolders(roots: readonly string[], work: () => Promise<void>): Watcher {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      follow();
      working = working.then(work);
    }, quietMs);
  };
  // A watcher for each folder: the recursive one of Node 20 loses files that are replaced, and
  // that is how most editors save.
  const follow = () => {
    const dirs = new Set(roots.flatMap((root) => [root, ...foldersBelow(root)]));
    for (const [dir, watcher] of watchers) {
      if (dirs.has(dir)) continue;
      watcher.close();
      watchers.delete(dir);
    }
    for (const dir of dirs) {
      // A folder that goes while it is watched ends its watcher; the next round drops it.
      if (!watchers.has(dir)) watchers.set(dir, watch(dir, later).on("error", later));
    }
  };

  follow();
  return {
    close: async () => {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      await working;
    },
  };
}

function foldersBelow(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}
