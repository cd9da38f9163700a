import { RowhouseError } from "../errors.ts";
import type { Home } from "../stack/home.ts";
import type { Backup } from "./manifest.ts";
import { findBackup, readableBackups } from "./places.ts";

const shape =
  /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;

/**
 * Reads a moment: "2026-11-21 03:00". Without an offset it is UTC, wherever one sits.
 *
 * @returns Undefined when it is none.
 */
export function parseMoment(text: string): Date | undefined {
  const [whole, day, time = "00:00", offset = "Z"] = shape.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const zone = /^[+-]/.test(offset) ? offset.replace(/^(.\d{2}):?(\d{2})?$/, zoned) : "Z";
  const date = new Date(`${day}T${time}${zone}`);
  const isReal =
    !Number.isNaN(date.getTime()) && (zone !== "Z" || date.toISOString().startsWith(day ?? ""));
  return isReal ? date : undefined;
}

function zoned(_whole: string, hours: string, minutes = "00"): string {
  return `${hours}:${minutes}`;
}

/** What `--to` says: the end of the WAL, a moment, or nothing: the backup's own moment. */
export type Wanted = Date | "latest" | undefined;

/**
 * The backup that a moment is restored from: the named one, else the newest from before it.
 *
 * @throws RowhouseError restore_refused for a moment that is in the future, or before the backup's
 *   end; backup_unknown, backup_damaged
 */
export function backupFor(home: Home, name: string | undefined, wanted: Wanted): Backup {
  if (!(wanted instanceof Date)) return findBackup(home, name);
  if (wanted.getTime() > Date.now()) {
    throw new RowhouseError(
      "restore_refused",
      `${wanted.toISOString()} is in the future.`,
      "A time without an offset is UTC. --to latest is all that there is.",
    );
  }
  const candidates = name === undefined ? readableBackups(home) : [findBackup(home, name)];
  const physical = candidates.filter(({ manifest }) => manifest.kind === "physical");
  const found = physical.findLast(({ manifest }) => new Date(manifest.finishedAt) <= wanted);
  if (found) return found;
  const [oldest] = physical;
  throw new RowhouseError(
    "restore_refused",
    oldest === undefined
      ? "No backup can be rolled on to a moment: there is no physical one."
      : `${wanted.toISOString()} is before the end of ${name === undefined ? "every backup" : "that backup"}: the earliest moment is ${oldest.manifest.finishedAt}.`,
    "A time without an offset is UTC. `npx rowhouse backup --list` tells each backup's end.",
  );
}
