import { RowhouseError } from "../lib/errors.ts";
import type { Home } from "../stack/home.ts";
import type { Backup, Manifest } from "./manifest.ts";
import { findBackup, listBackups } from "./store.ts";

const timePattern =
  /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;

/**
 * Reads a moment: "2026-11-21 03:00". Without an offset it is UTC, wherever one sits.
 *
 * @returns Undefined when it is none.
 */
export function parseTime(text: string): Date | undefined {
  const [whole, day, time = "00:00", offset = "Z"] = timePattern.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const zone = /^[+-]/.test(offset) ? offset.replace(/^(.\d{2}):?(\d{2})?$/, formatOffset) : "Z";
  const date = new Date(`${day}T${time}${zone}`);
  return isCalendarDay(day ?? "") && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** JavaScript takes 30 February for 2 March. */
function isCalendarDay(day: string): boolean {
  const date = new Date(`${day}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

function formatOffset(_whole: string, hours: string, minutes = "00"): string {
  return `${hours}:${minutes}`;
}

/** The value of `--to`: the end of the WAL, a point in time, or nothing: where the backup ended. */
export type RestoreTime = Date | "latest" | undefined;

/**
 * The backup that a moment is restored from: the named one, else the newest from before it.
 *
 * @param kind What can be restored to where it is to go: a dump into a URL, a physical one into a home.
 * @throws RowhouseError restore_refused for a moment that is in the future, or before the backup's
 *   end, and for a named backup of the other kind; backup_unknown, backup_damaged
 */
export function selectBackup(
  home: Home,
  name: string | undefined,
  restoreTime: RestoreTime,
  kind: Manifest["kind"],
): Backup {
  if (name !== undefined) assertKind(findBackup(home, name), kind);
  if (!(restoreTime instanceof Date)) return findBackup(home, name, kind);
  if (restoreTime.getTime() > Date.now()) {
    throw new RowhouseError(
      "restore_refused",
      `${restoreTime.toISOString()} is in the future.`,
      "A time without an offset is UTC. --to latest is all that there is.",
    );
  }
  const candidates = name === undefined ? listBackups(home) : [findBackup(home, name)];
  const physical = candidates.filter(({ manifest }) => manifest.kind === "physical");
  const found = physical.findLast(({ manifest }) => new Date(manifest.finishedAt) <= restoreTime);
  if (found) return found;
  const [oldest] = physical;
  throw new RowhouseError(
    "restore_refused",
    oldest === undefined
      ? "Point-in-time recovery needs a physical backup, and there is none."
      : `${restoreTime.toISOString()} is before the end of ${name === undefined ? "every backup" : "that backup"}: the earliest time is ${oldest.manifest.finishedAt}.`,
    "A time without an offset is UTC. `npx rowhouse backup --list` shows each backup's end.",
  );
}

function assertKind({ name, manifest }: Backup, kind: Manifest["kind"]): void {
  if (manifest.kind === kind) return;
  throw new RowhouseError(
    "restore_refused",
    manifest.kind === "dump"
      ? `${name} is a dump: it goes into a database that --url or DATABASE_URL names, and has no point-in-time recovery.`
      : `${name} is a copy of the embedded database: it goes into a home, and not into a URL.`,
    manifest.kind === "dump"
      ? "Name an empty database, without --to and --into: --url postgres://..."
      : "Leave --url out; --into names another home.",
  );
}
