import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import type { CatalogEntry } from "../schema/catalog/catalog.ts";

/** A place inside the backup, and nowhere else. */
const inside = z
  .string()
  .refine((path) => !path.startsWith("/") && !path.split("/").includes(".."));

const timestamp = z.iso.datetime({ offset: true });

/** A file of a backup, as it lies there. */
const fileSchema = z.object({ path: inside, size: z.number(), sha256: z.string() });

/** The content of a backup's manifest.json. */
const manifestSchema = z.object({
  /** "physical" is a copy of the data directory, to be rolled on with WAL; "dump" is pg_dump's. */
  kind: z.enum(["physical", "dump"]),
  startedAt: timestamp,
  /** When `tables`, `sequences`, `settings` and `catalog` were read. */
  finishedAt: timestamp,
  /** Full version of the server: "18.4". */
  postgresVersion: z.string(),
  /** The database that was counted. */
  database: z.string(),
  /** Where a dump was taken, without the password. */
  source: z.string().optional(),
  systemIdentifier: z.string().optional(),
  startLsn: z.string().optional(),
  stopLsn: z.string().optional(),
  timeline: z.number().optional(),
  /** The name of the restore point at `finishedAt`. */
  restorePoint: z.string().optional(),
  /** The WAL segments from the start to the restore point; without them the copy is worthless. */
  wal: z.array(inside).optional(),
  files: z.array(fileSchema),
  /** Folders of the data directory that hold no file, and must exist. */
  folders: z.array(inside),
  tables: z.array(z.object({ name: z.string(), rows: z.string(), hash: z.string() })),
  sequences: z.array(z.object({ name: z.string(), value: z.string().nullable() })),
  settings: z.array(z.object({ name: z.string(), hash: z.string() })),
  /** sha256 of the catalog; the catalog itself is in catalog.json. */
  catalog: z.string(),
});

/** A manifest that can be read. */
export type Manifest = z.infer<typeof manifestSchema>;

/** A file of a backup, with its size and checksum. */
export type BackupFile = z.infer<typeof fileSchema>;

/** What a database holds at one point in time. */
export type Facts = Pick<Manifest, "tables" | "sequences" | "settings">;

/** A backup that is complete. */
export interface Backup {
  readonly name: string;
  readonly dir: string;
  readonly manifest: Manifest;
}

/**
 * Reads the manifest of a backup.
 *
 * @throws RowhouseError backup_damaged
 */
export function readBackup(dir: string, name: string): Backup {
  try {
    const text = readFileSync(join(dir, "manifest.json"), "utf8");
    return { name, dir, manifest: manifestSchema.parse(JSON.parse(text)) };
  } catch (error) {
    throw new RowhouseError(
      "backup_damaged",
      `The manifest of the backup ${name} cannot be read: ${errorMessage(error)}.`,
      "Use another backup: `npx rowhouse backup --list`.",
      { cause: error },
    );
  }
}

/** Which database a backup is of: "the embedded database", or the URL that was dumped. */
export function describeDatabase({ source }: Manifest): string {
  return source ?? "the embedded database";
}

/** The fingerprint of a catalog. */
export function hashCatalog(catalog: readonly CatalogEntry[]): string {
  const lines = catalog.map(({ kind, name, definition }) =>
    JSON.stringify([kind, name, definition]),
  );
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}
