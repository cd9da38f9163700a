import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type pg from "pg";
import type { Drill } from "../../src/backup/drill/drill.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { withClient } from "../../src/stack/database.ts";
import { withDatabase } from "../../src/stack/embedded.ts";
import { openHome } from "../../src/stack/home.ts";
import { readSettings } from "../../src/stack/settings.ts";
import { rowhouse } from "./cli.ts";

/** Lets a test work on the embedded database of a home, started for it if need be. */
export function inHome<T>(home: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const settings = readSettings({ ROWHOUSE_HOME: home });
  return withDatabase({ ...settings, databaseUrl: undefined }, openHome(home), (url) =>
    withClient(url, work),
  );
}

/** Adds a user to the database of a home. */
export async function addUser(home: string, email: string): Promise<void> {
  await inHome(home, (client) =>
    client.query("insert into api.users (email) values ($1)", [email]),
  );
}

/** The users in the database of a home, by email address, the oldest first. */
export async function listEmails(home: string): Promise<string[]> {
  return inHome(home, async (client) => {
    const { rows } = await client.query<{ email: string }>(
      "select email from api.users order by id",
    );
    return rows.map(({ email }) => email);
  });
}

/** Makes a backup of a home; resolves with its folder. */
export async function backUp(home: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await rowhouse(["backup", "--json", ...args], {
    ROWHOUSE_HOME: home,
  });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout).dir;
}

/** Runs a drill of a home with backups of one database: its report, and the exit code. */
export async function runDrill(home: string): Promise<{ code: number; report: Drill }> {
  const { code, stdout, stderr } = await rowhouse(["drill", "--json"], { ROWHOUSE_HOME: home });
  if (!stdout.startsWith("[")) throw new Error(stderr);
  return { code, report: JSON.parse(stdout)[0] };
}

/** What a drill found wrong: "rows: api.tasks has ...". */
export function listFaults({ report }: { report: Drill }): string[] {
  return report.checks.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`));
}

/** The manifest of a backup. */
export function readManifest(backup: string): Manifest {
  return JSON.parse(readFileSync(join(backup, "manifest.json"), "utf8"));
}

/** Changes the manifest of a backup. */
export function editManifest(backup: string, edit: (manifest: Manifest) => Manifest): void {
  writeFileSync(join(backup, "manifest.json"), JSON.stringify(edit(readManifest(backup))));
}

/** Changes a file of a backup, and its checksum with it: as a fault before the backup would have. */
export function forge(backup: string, path: string, change: (content: Buffer) => Buffer): void {
  const file = join(backup, path);
  const packed = path.endsWith(".gz");
  const content = change(packed ? gunzipSync(readFileSync(file)) : readFileSync(file));
  writeFileSync(file, packed ? gzipSync(content) : content);
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  const renewed = { path, size: statSync(file).size, sha256 };
  editManifest(backup, (manifest) => ({
    ...manifest,
    files: manifest.files.map((one) => (one.path === path ? renewed : one)),
  }));
}

/** Turns one bit round in the middle of a file. */
export function flipBit(content: Buffer): Buffer {
  const flipped = Buffer.from(content);
  const middle = Math.floor(flipped.length / 2);
  flipped[middle] = (flipped[middle] ?? 0) ^ 1;
  return flipped;
}

/** Puts a folder into a home that looks like a backup, as far as its manifest goes. */
export function pretendBackup(home: string, name: string, change: Partial<Manifest> = {}): string {
  const manifest: Manifest = {
    kind: "physical",
    startedAt: "2026-11-21T03:00:00Z",
    finishedAt: "2026-11-21T03:00:00Z",
    postgresVersion: "18.4",
    database: "rowhouse",
    files: [],
    folders: [],
    tables: [],
    sequences: [],
    settings: [],
    catalog: "",
    ...change,
  };
  const dir = join(home, "backups", name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "manifest.json"), JSON.stringify(manifest));
  return dir;
}
