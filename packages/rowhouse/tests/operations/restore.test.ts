import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { addUser, backUp, flipBit, inHome } from "../support/backup.ts";
import { newHome, readyHome, rowhouse, startStack } from "../support/cli.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";

/** All users in the database of a home, and the database's clock. */
async function look(home: string): Promise<{ emails: string[]; now: string }> {
  return inHome(home, async (client) => {
    const { rows } = await client.query<{ email: string }>(
      "select email from api.users order by id",
    );
    const clock = await client.query<{ now: string }>(
      "select to_char(clock_timestamp() + interval '1 ms', 'YYYY-MM-DD HH24:MI:SS.MS') as now",
    );
    return { emails: rows.map(({ email }) => email), now: clock.rows[0]?.now ?? "" };
  });
}

function kept(home: string): string[] {
  return readdirSync(home).filter((name) => name.startsWith("data"));
}

test("any point in time can be restored, there and back, also in a home with an odd name", async () => {
  const home = join(newHome(), "it's 100% odd");
  cpSync(readyHome(), home, { recursive: true });
  const env = { ROWHOUSE_HOME: home };
  const stack = await startStack(env);
  await addUser(home, "before@x.org");
  await backUp(home);
  await addUser(home, "second@x.org");
  const { now: two } = await look(home);
  await addUser(home, "third@x.org");
  const { now: three } = await look(home);
  await stack.end();

  const restored = await rowhouse(["restore", "--to", two], env);
  expect(restored.stderr).not.toMatch(/error/);
  expect(restored.stdout).toMatch(/its last change is of \d{4}/);
  expect((await look(home)).emails).toEqual(["before@x.org", "second@x.org"]);
  await addUser(home, "other@x.org");

  await rowhouse(["restore", "--to", three], env);
  expect((await look(home)).emails).toEqual(["before@x.org", "second@x.org", "third@x.org"]);
  expect(kept(home)).toHaveLength(3);

  await rowhouse(["restore"], env);
  expect((await look(home)).emails).toEqual(["before@x.org"]);
});

test("what a killed stack had committed last is restored", async () => {
  const stack = await startStack();
  const { home, env } = stack;
  await backUp(home);
  await addUser(home, "last@x.org");
  const { emails } = await look(home);
  await stack.end("SIGKILL");
  await expect.poll(() => existsSync(join(home, "data", "postmaster.pid"))).toBe(false);
  const { code, stderr } = await rowhouse(["restore", "--to", "latest"], env);
  expect(stderr).not.toMatch(/error/);
  expect(code).toBe(0);
  expect((await look(home)).emails).toEqual(emails);
});

test("a backup is restored into another home, whose own password fits afterwards", async () => {
  const [home, other] = [readyHome(), newHome()];
  await addUser(home, "moved@x.org");
  await backUp(home);
  await rowhouse(["restore", "--into", other], { ROWHOUSE_HOME: home });
  expect((await look(other)).emails).toEqual(["moved@x.org"]);
  expect(kept(home)).toEqual(["data"]);
});

test("a restore is refused while a stack runs, for a time before the backup, and in the future", async () => {
  const { home, env } = await startStack();
  const { now: early } = await look(home);
  await backUp(home);
  const refusals = [
    [["restore"], /home_in_use/],
    [["restore", "--to", early], /restore_refused.*before the end of every backup/],
    [["restore", "--to", "2999-01-01"], /restore_refused.*in the future/],
    [["restore", "--to", "noon"], /Give a time like/],
    [["restore", "20000101T000000Z"], /backup_unknown/],
  ] as const;
  for (const [args, reason] of refusals) {
    const { code, stderr } = await rowhouse(args, env);
    expect(code).toBe(1);
    expect(stderr).toMatch(reason);
  }
  expect(kept(home)).toEqual(["data"]);
});

test("a damaged backup is not restored, and the data stays as it was", async () => {
  const home = readyHome();
  await addUser(home, "mine@x.org");
  const backup = await backUp(home);
  const file = join(backup, "data", "PG_VERSION.gz");
  writeFileSync(file, flipBit(readFileSync(file)));
  const { code, stderr } = await rowhouse(["restore"], { ROWHOUSE_HOME: home });
  expect(code).toBe(1);
  expect(stderr).toMatch(/backup_damaged.*PG_VERSION\.gz was changed/);
  expect(kept(home)).toEqual(["data"]);
  expect((await look(home)).emails).toEqual(["mine@x.org"]);
});

test("after a restore that was killed just before its end, no empty database takes the data's place", async () => {
  const home = readyHome();
  renameSync(join(home, "data"), join(home, "data.before-20261121T030000Z"));
  const { code, stderr } = await rowhouse(["migrate"], { ROWHOUSE_HOME: home });
  expect(code).toBe(1);
  expect(stderr).toMatch(/restore_refused.*killed just before its end/);
  expect(kept(home)).toEqual(["data.before-20261121T030000Z"]);
});

/** The process that a backup's draft names as its writer; a draft without one is not yet begun. */
function draftWriter(home: string): string | undefined {
  const dir = join(home, "backups");
  const draft = existsSync(dir) && readdirSync(dir).find((name) => name.endsWith(".part"));
  const file = draft && join(dir, draft, "pid");
  return file && existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

test("an interrupted backup leaves nothing, and what a killed one left goes with the next", async () => {
  const home = readyHome();
  const run = async (signal: NodeJS.Signals) => {
    const child = spawn(process.execPath, [rowhouseCommand, "backup"], {
      cwd: projectRoot,
      env: { ...process.env, ROWHOUSE_HOME: home, DATABASE_URL: "" },
    });
    const ended = once(child, "exit");
    await expect
      .poll(() => draftWriter(home), { interval: 5, timeout: 20_000 })
      .toBe(String(child.pid));
    child.kill(signal);
    return ended;
  };
  expect(await run("SIGINT")).toEqual([130, null]);
  expect(readdirSync(join(home, "backups"))).toEqual([]);
  expect(await run("SIGKILL")).toEqual([null, "SIGKILL"]);
  expect(readdirSync(join(home, "backups"))).toHaveLength(1);
  const backup = await backUp(home);
  expect(readdirSync(join(home, "backups"))).toEqual([basename(backup)]);
});

test("retention removes the oldest backups and their WAL, and never the newest", async () => {
  const home = readyHome();
  const env = { ROWHOUSE_HOME: home };
  const first = basename(await backUp(home));
  const second = basename(await backUp(home));
  const third = basename(await backUp(home, "--keep", "2"));
  expect(readdirSync(join(home, "backups"))).toEqual([second, third]);
  const segments = readdirSync(join(home, "wal")).length;
  const fourth = basename(await backUp(home, "--keep", "1"));
  expect(readdirSync(join(home, "backups"))).toEqual([fourth]);
  expect(readdirSync(join(home, "wal")).length).toBeLessThan(segments + 3);
  const fifth = basename(await backUp(home, "--keep-days", "1"));
  expect(readdirSync(join(home, "backups"))).toEqual([fourth, fifth]);
  const { stdout } = await rowhouse(["backup", "--list"], env);
  expect(stdout).not.toContain(first);
  expect((await rowhouse(["restore", fourth], env)).code).toBe(0);
});
