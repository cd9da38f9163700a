import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { findDbmate } from "../../src/stack/binaries.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { openOwnScratch } from "../../src/stack/scratch.ts";
import { type Outcome, rowhouse } from "./cli.ts";

/** A database that other people made, and where its project goes. */
export interface Place {
  readonly source: string;
  /** A server for the command, which has none of the database's roles; it starts its own without. */
  readonly scratch: string | undefined;
  readonly folder: string;
}

/** Makes a database of SQL on a server of its own, which ends with the test. */
export async function openPlace(sql: string): Promise<Place> {
  const [server, scratch] = await Promise.all([openOwnScratch(), openOwnScratch()]);
  onTestFinished(async () => void (await Promise.all([server.close(), scratch.close()])));
  const source = await server.create();
  await withClient(source, (client) => client.query(sql));
  return { source, scratch: scratch.serverUrl, folder: emptyFolder() };
}

/** An empty folder, which ends with the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rowhouse-init-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The SQL of a database in tests/fixtures/databases. */
export function readFixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "../fixtures/databases", `${name}.sql`), "utf8");
}

/** Runs `rowhouse init` there. */
export function init({ source, scratch, folder }: Place, ...options: string[]): Promise<Outcome> {
  return rowhouse(["init", "--from", source, ...options], { SCRATCH_URL: scratch }, folder);
}

/** Runs a program to its end. */
export async function run(folder: string, program: string, args: readonly string[], env = {}) {
  return new Promise<Outcome>((resolve) => {
    const options = { cwd: folder, env: { ...process.env, ...env } };
    execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Lets dbmate, as a deploy does, bring a database what is pending. */
export function dbmateUp(folder: string, url: string, env = {}): Promise<Outcome> {
  return run(folder, findDbmate(), ["--no-dump-schema", "up"], { DATABASE_URL: url, ...env });
}

/** Every file of a folder, by its path. */
export function readAll(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.sort().map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]),
  );
}

/** The database that a project builds on a new server: the platform's stubs, then the migrations. */
export async function buildFresh(folder: string): Promise<string> {
  const server = await openOwnScratch();
  onTestFinished(server.close);
  const url = await server.create(inDatabase(server.serverUrl, "template0"));
  for (const [path, sql] of Object.entries(readAll(folder)))
    if (path.startsWith("platform/")) await withClient(url, (client) => client.query(sql));
  expect((await dbmateUp(folder, url)).stdout).toContain("Applied");
  return url;
}
