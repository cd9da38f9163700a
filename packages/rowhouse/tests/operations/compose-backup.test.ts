import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { libpqEnvironment } from "../../src/backup/dump/tools.ts";
import { areEqual, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { type DebianServer, hasDebianServer, startDebianServer } from "../support/debian-server.ts";
import { people } from "../support/people.ts";
import { projectRoot } from "../support/project.ts";

const run = promisify(execFile);

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-dumps-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** Runs the script that compose runs. */
async function backup(dir: string, url: string, what = "once", extra = {}): Promise<string> {
  const env = { ...libpqEnvironment(url), BACKUP_DIR: dir, ...extra };
  return (await run("sh", [join(projectRoot, "compose/backup.sh"), what], { env })).stdout;
}

// `apt install postgresql-15` brings a server, and the pg_dump that fits it.
describe.runIf(hasDebianServer)("the dumps of compose", () => {
  let server: DebianServer;
  let other: DebianServer;
  let url: string;

  beforeAll(async () => {
    [server, other] = await Promise.all([startDebianServer(), startDebianServer()]);
    await withClient(server.url, (client) => client.query("create database rowhouse"));
    url = inDatabase(server.url, "rowhouse");
    await migrate(url);
    await withClient(url, (client) =>
      client.query(`${people}; alter role authenticator password 'a secret'`),
    );
  });
  afterAll(() => Promise.all([server.stop(), other.stop()]));

  test("hold all that another server needs, as docs/backup.md restores them, and no password", async () => {
    const dir = newFolder();
    await backup(dir, url);
    const [stamp = ""] = readdirSync(dir);
    expect(stamp).toMatch(/^\d{8}T\d{6}Z$/);
    const dump = join(dir, stamp);
    const there = { cwd: dump, env: libpqEnvironment(other.url) };
    await run("sha256sum", ["--check", "SHA256SUMS"], there);
    expect(readFileSync(join(dump, "roles.sql"), "utf8")).not.toMatch(/PASSWORD|SCRAM/);

    await run("psql", ["--dbname=postgres", "--file=roles.sql"], there);
    await run(
      "pg_restore",
      ["--create", "--exit-on-error", "--dbname=postgres", "database.dump"],
      there,
    );
    const restored = inDatabase(other.url, "rowhouse");
    expect(areEqual(await readCatalog(url), await readCatalog(restored))).toBe(true);
    const { rows } = await withClient(restored, (client) =>
      client.query("select count(*)::int as count from api.tasks"),
    );
    expect(rows).toEqual([{ count: 2 }]);
  });

  test("that are too many go, the oldest first, and what was interrupted goes too", async () => {
    const dir = newFolder();
    const foreign = ["aZ", "film.part"];
    for (const name of [
      "20260101T000000Z",
      "20260102T000000Z",
      "20260103T000000Z.part",
      ...foreign,
    ]) {
      mkdirSync(join(dir, name));
    }
    await backup(dir, url, "once", { BACKUP_KEEP: "2" });
    expect(readdirSync(dir).sort()).toEqual([
      "20260102T000000Z",
      expect.not.stringMatching(/part|^202601/),
      ...foreign,
    ]);
  });

  test("stay when a new one fails, which leaves nothing", async () => {
    const dir = newFolder();
    mkdirSync(join(dir, "20260101T000000Z"));
    const wrong = new URL(url);
    wrong.pathname = "/nowhere";
    await expect(backup(dir, wrong.href, "once", { BACKUP_KEEP: "1" })).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /"nowhere" does not exist[\s\S]*The dump failed; older dumps are kept/,
      ),
    });
    expect(readdirSync(dir)).toEqual(["20260101T000000Z"]);
  });

  test.each(["0", "x", "-1", "00"])("are not thinned out to %s", async (keep) => {
    const dir = newFolder();
    mkdirSync(join(dir, "20260101T000000Z"));
    await expect(backup(dir, url, "once", { BACKUP_KEEP: keep })).rejects.toMatchObject({
      stderr: `BACKUP_KEEP is "${keep}": give a whole number from 1.\n`,
    });
    expect(readdirSync(dir)).toEqual(["20260101T000000Z"]);
  });

  test("are missed when the newest is too old", async () => {
    const dir = newFolder();
    await expect(backup(dir, url, "check")).rejects.toMatchObject({ code: 1 });
    await backup(dir, url);
    expect(await backup(dir, url, "check")).toBe("");
    await run("touch", ["--date=3 days ago", join(dir, readdirSync(dir)[0] ?? "")]);
    await expect(backup(dir, url, "check")).rejects.toMatchObject({ code: 1 });
  });
});
