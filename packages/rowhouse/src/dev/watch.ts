import { type FSWatcher, readdirSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "../lib/errors.ts";

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
 * @param onFault Called when folders can no longer be watched.
 * @throws Error from the system when they cannot be watched at all.
 */
export function watchFolders(
  roots: readonly string[],
  work: () => Promise<void>,
  onFault: (error: unknown) => void,
): Watcher {
  let watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        follow();
      } catch (error) {
        onFault(error);
      }
      working = working.then(work);
    }, quietMs);
  };
  // A watcher for each folder: the recursive one of Node 20 loses files that are replaced, and
  // that is how most editors save. They are new each time, since a folder that was taken away and
  // put back (git does that) is another one. What changes in between is worked on in this round.
  const follow = () => {
    for (const watcher of watchers) watcher.close();
    watchers = roots.flatMap(foldersToWatch).flatMap((dir) => watching(dir, later));
  };

  follow();
  return {
    close: async () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      await working;
    },
  };
}

function watching(dir: string, onChange: () => void): FSWatcher[] {
  try {
    return [watch(dir, onChange).on("error", onChange)];
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    // It was removed just now: the folder above it reports when it is back.
    return [];
  }
}

/** A folder and those below it; while it is missing, the one that it will be put into. */
function foldersToWatch(root: string): string[] {
  const found = foldersFrom(root);
  return found.length > 0 ? found : [dirname(root)];
}

/** A folder and those below it; none of those that are gone, or go meanwhile. */
function foldersFrom(dir: string): string[] {
  try {
    const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [dir, ...below.flatMap((entry) => foldersFrom(join(dir, entry.name)))];
  } catch {
    return [];
  }
}
