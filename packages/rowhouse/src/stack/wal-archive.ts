import { join } from "node:path";

/** The folder below the place of the data that finished WAL segments are put into. */
export function getWalDir(place: string): string {
  return join(place, "wal");
}

/**
 * The settings by which the embedded server archives its WAL. Until the first backup makes the
 * folder, nothing is kept: without a backup to start from, WAL is of no use.
 *
 * @param place The folder in which the data lies.
 */
export function archiveSettings(place: string): Record<string, string> {
  return {
    archive_mode: "on",
    archive_command: archiveCommand(getWalDir(place)),
    // The most that is lost with the disk: a segment is not full for hours on a quiet machine.
    archive_timeout: "60s",
  };
}

/**
 * Runs in `sh`, as the server's own user, for one finished segment after the other. A segment that
 * is there already is right when it is the same (after a crash the server asks again), and is
 * never overwritten. It is on the disk before the server may forget it.
 */
function archiveCommand(walDir: string): string {
  return [
    `d=${shellQuote(walDir)}`,
    'test -d "$d" || exit 0',
    't="$d/%f.gz"',
    'if test -f "$t"; then gzip -dc "$t" | cmp -s - "%p"; exit; fi',
    'gzip -1 -c "%p" > "$t.part" && sync "$t.part" && mv "$t.part" "$t" && sync "$d"',
  ].join("; ");
}

/** The command with which a server in recovery fetches a segment, compressed or not. */
export function restoreCommand(dir: string): string {
  return [
    `s=${shellQuote(dir)}/%f`,
    'if test -f "$s.gz"; then gzip -dc "$s.gz" > "%p"; else test -f "$s" && cp "$s" "%p"; fi',
  ].join("; ");
}

/** A path as one word of the shell; the server reads %% as a percent sign. */
function shellQuote(path: string): string {
  return `'${path.replaceAll("'", "'\\''").replaceAll("%", "%%")}'`;
}
