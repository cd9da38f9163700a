import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { addUser, backUp, inHome, listEmails, pretendBackup, runDrill } from "../support/backup.ts";
import { newHome, readyHome, rowhouse } from "../support/cli.ts";
import { mayMount, smallDisk } from "../support/disk.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";

/** Kills a command as soon as something is there. */
async function killedWhen(home: string, args: string[], isThere: () => boolean): Promise<void> {
  const child = spawn(process.execPath, [rowhouseCommand, ...args], {
    cwd: projectRoot,
    env: { ...process.env, ROWHOUSE_HOME: home, DATABASE_URL: "" },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  await expect.poll(isThere, { interval: 5, timeout: 20_000 }).toBe(true);
  child.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
}

test("only its owner can read a backup, or the WAL beside it", async () => {
  const home = readyHome();
  const backup = await backUp(home);
  const open = [backup, join(home, "wal")].flatMap((root) =>
    ["", ...readdirSync(root, { recursive: true, encoding: "utf8" })]
      .map((path) => join(root, path))
      .filter((path) => (lstatSync(path).mode & 0o077) !== 0),
  );
  expect(open).toEqual([]);
});

test.each(["status", "doctor", "slow", "backup"])(
  "a DBA who mistypes the home makes no database with %s",
  async (command) => {
    const home = newHome();
    const { code, stderr } = await rowhouse([command], { ROWHOUSE_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toContain("[home_empty]");
    expect(existsSync(join(home, "data"))).toBe(false);
  },
);

test("a backup that has no place is refused in words, and one outside the data too", async () => {
  const home = readyHome();
  writeFileSync(join(home, "backups"), "");
  const refused = await rowhouse(["backup"], { ROWHOUSE_HOME: home });
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/\[backup_failed\] The file system refuses: EEXIST/);
  rmSync(join(home, "backups"));
  const outside = newHome();
  mkdirSync(outside, { recursive: true });
  await inHome(home, (client) => client.query(`create tablespace elsewhere location '${outside}'`));
  const { code, stderr } = await rowhouse(["backup"], { ROWHOUSE_HOME: home });
  expect(code).toBe(1);
  expect(stderr).toMatch(/\[backup_failed\] The data has tablespaces outside its directory/);
  expect(readdirSync(join(home, "backups"))).toEqual([]);
});

describe.runIf(mayMount())("on a disk that is full", () => {
  test("a backup leaves nothing, and those before it", async () => {
    const home = readyHome();
    smallDisk(join(home, "backups"), "1m");
    pretendBackup(home, "20261121T030000Z");
    const { code, stderr } = await rowhouse(["backup", "--keep", "1"], { ROWHOUSE_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[backup_failed\] The disk is full: ENOSPC/);
    expect(readdirSync(join(home, "backups"))).toEqual(["20261121T030000Z"]);
  });

  test("a backup that cannot be removed whole does not look whole", async () => {
    const home = readyHome();
    const first = await backUp(home);
    smallDisk(join(first, "data/stuck"), "1m");
    onTestFinished(() => {
      if (existsSync(`${first}.part`)) renameSync(`${first}.part`, first);
    });
    const second = await rowhouse(["backup", "--keep", "1"], { ROWHOUSE_HOME: home });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/\[backup_failed\] The new backup is complete, and an old one/);
    expect(readdirSync(join(home, "backups"))).toEqual([
      expect.stringMatching(/^\w+\.part$/),
      expect.stringMatching(/^\w+Z$/),
    ]);
    utimesSync(`${first}.part`, 0, 0);
    expect(await rowhouse(["backup"], { ROWHOUSE_HOME: home })).toMatchObject({ code: 0 });
  });

  test("a restore leaves all as it was", async () => {
    const home = readyHome();
    await backUp(home);
    const other = newHome();
    smallDisk(other, "8m");
    const args = ["restore", "--into", other];
    const { code, stderr } = await rowhouse(args, { ROWHOUSE_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[restore_failed\] The disk is full: ENOSPC/);
    expect(readdirSync(other)).toEqual([]);
  });
});

test("a restore that was killed in its middle is done again as if it had never been", async () => {
  const home = readyHome();
  await addUser(home, "kept@x.org");
  await backUp(home);
  await addUser(home, "later@x.org");
  const [data, pid] = ["data.restoring", "data.restoring/postmaster.pid"];
  for (const there of [data, pid]) {
    await killedWhen(home, ["restore"], () => existsSync(join(home, there)));
    expect(readdirSync(home)).toContain("data");
  }
  expect(readdirSync(home)).toContain(data);
  expect(await listEmails(home)).toEqual(["kept@x.org", "later@x.org"]);
  expect(await rowhouse(["status"], { ROWHOUSE_HOME: home })).toMatchObject({ code: 0 });
  expect(await rowhouse(["restore"], { ROWHOUSE_HOME: home })).toMatchObject({ code: 0 });
  expect(readdirSync(home).filter((name) => name.includes("restoring"))).toEqual([]);
  expect(await listEmails(home)).toEqual(["kept@x.org"]);
});

test("a backup of another major version, or of a home whose password is lost, is refused", async () => {
  const home = readyHome();
  const backup = await backUp(home);
  const copy = newHome();
  cpSync(home, copy, { recursive: true });
  const manifest = join(backup, "manifest.json");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"18\.\d+"/, '"17.1"'));
  const { stderr } = await rowhouse(["restore"], { ROWHOUSE_HOME: home });
  expect(stderr).toMatch(/\[restore_refused\] The backup .* is of PostgreSQL 17\.1, and this is/);
  expect((await runDrill(home)).code).toBe(1);

  rmSync(join(copy, "postgres-password"));
  const locked = await rowhouse(["status"], { ROWHOUSE_HOME: copy });
  expect(locked.stderr).toMatch(/\[database_refused\] The password in the home does not match/);
  expect(await rowhouse(["restore"], { ROWHOUSE_HOME: copy })).toMatchObject({ code: 0 });
  expect(await listEmails(copy)).toEqual([]);
  rmSync(join(copy, "data/PG_VERSION"));
  const damaged = await rowhouse(["status"], { ROWHOUSE_HOME: copy });
  expect(damaged.stderr).toMatch(/\[postgres_failed\] .* has no PG_VERSION/);
});

describe("a copy of the embedded database and a dump", () => {
  const dump = { kind: "dump", source: "postgres://x/y" } as const;
  test.each<[string, string[], RegExp]>([
    [
      "a copy with --url",
      ["20261121T030000Z", "--url", "postgres://x/y"],
      /restore_refused.*not into a URL/,
    ],
    ["the newest copy with --url", ["--url", "postgres://x/y"], /backup_unknown.*no dump/],
    [
      "a dump with --to",
      ["--to", "latest", "20261122T030000Z"],
      /restore_refused.*has no point-in-time recovery/,
    ],
    [
      "a dump with --into",
      ["--into", "/nowhere/home", "20261122T030000Z"],
      /restore_refused.*is a dump/,
    ],
    ["--url with --to", ["--url", "postgres://x/y", "--to", "latest"], /--url is for a dump/],
    ["a dump without --url", ["20261122T030000Z"], /neither --url nor DATABASE_URL/],
  ])("is never the one for the other: %s", async (what, args, reason) => {
    const home = newHome();
    pretendBackup(home, "20261121T030000Z");
    if (!what.includes("newest")) pretendBackup(home, "20261122T030000Z", dump);
    const { code, stderr } = await rowhouse(["restore", ...args], { ROWHOUSE_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toMatch(reason);
    expect(existsSync(join(home, "data"))).toBe(false);
  });
});
