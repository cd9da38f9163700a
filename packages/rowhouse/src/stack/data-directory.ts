import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RowhouseError } from "../lib/errors.ts";

/**
 * Makes sure that a data directory is of this major version of PostgreSQL.
 *
 * @throws RowhouseError data_other_version, postgres_failed when it is none
 */
export function assertSameMajor(dataDir: string, major: number): void {
  const file = join(dataDir, "PG_VERSION");
  if (!existsSync(file)) {
    throw new RowhouseError(
      "postgres_failed",
      `${dataDir} is not a PostgreSQL data directory, or is damaged: it has no PG_VERSION.`,
      "Nothing was changed. Move it away, then restore a backup: `npx rowhouse restore`.",
    );
  }
  const found = readFileSync(file, "utf8").trim();
  if (found === String(major)) return;
  throw new RowhouseError(
    "data_other_version",
    `The data in ${dataDir} is of PostgreSQL ${found}, and this is PostgreSQL ${major}.`,
    `Start it with the Rowhouse version that created it and dump it there, or set ROWHOUSE_HOME to another folder. Nothing was changed.`,
  );
}

/**
 * Makes sure that no data was put aside. A restore that was killed between its two renames leaves
 * none in place: a new one would hide that.
 *
 * @throws RowhouseError restore_refused
 */
export function assertNoneAside(place: string): void {
  const aside = readdirSync(place)
    .filter((name) => name.startsWith("data.before-"))
    .sort()
    .at(-1);
  if (aside === undefined) return;
  throw new RowhouseError(
    "restore_refused",
    `${place} has no data, but ${aside}: a restore was killed just before its end.`,
    `Rename ${aside} to data to keep the previous data, or restore again: \`npx rowhouse restore\`.`,
  );
}
