import pg from "pg";

/** A name in SQL that is read: in quotes where it has anything but small letters in it. */
export function readableName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : pg.escapeIdentifier(name);
}
