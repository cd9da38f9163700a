import { type DrillRecord, lastDrills } from "../../backup/drill/history.ts";
import { describeDatabase } from "../../backup/manifest.ts";
import { listBackups } from "../../backup/store.ts";
import type { Home } from "../../stack/home.ts";

/** How a database is backed up. */
export interface Copies {
  /** As in `describeDatabase`. */
  readonly database: string;
  /** When its newest backup was finished, in ISO 8601. */
  readonly lastBackup: string;
  /** The last drill of one of its backups; undefined when there was none. */
  readonly drill: Pick<DrillRecord, "finishedAt" | "ok"> | undefined;
}

/** How each database is backed up that a home holds backups of; the newest first. */
export function readCopies(home: Home): Copies[] {
  const drills = new Map(lastDrills(home).map((drill) => [drill.database, drill]));
  const ends = listBackups(home)
    .map(({ manifest }) => ({
      database: describeDatabase(manifest),
      lastBackup: manifest.finishedAt,
    }))
    .toSorted((one, other) => Date.parse(other.lastBackup) - Date.parse(one.lastBackup));
  const newest = ends.filter(
    ({ database }, index) => ends.findIndex((end) => end.database === database) === index,
  );
  return newest.map((end) => {
    const { finishedAt, ok } = drills.get(end.database) ?? {};
    return { ...end, drill: finishedAt && ok !== undefined ? { finishedAt, ok } : undefined };
  });
}
