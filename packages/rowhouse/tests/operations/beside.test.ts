import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { migrationLock } from "../../src/stack/dbmate.ts";
import { addUser, backUp, inHome, listFaults } from "../support/backup.ts";
import { rowhouse, startStack } from "../support/cli.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";

// Backups beside others: backups, migrations, and who writes for long.

function startBackup(home: string) {
  return spawn(process.execPath, [rowhouseCommand, "backup"], {
    cwd: projectRoot,
    env: { ...process.env, ROWHOUSE_HOME: home, DATABASE_URL: "" },
  });
}

test("two backups at once, while others write, are both whole", async () => {
  const { home } = await startStack();
  const [one, other] = await Promise.all([backUp(home), backUp(home), addUser(home, "a@x.org")]);
  expect(readdirSync(join(home, "backups")).sort()).toEqual(
    [basename(one), basename(other)].sort(),
  );
  for (const backup of [one, other]) {
    const { stdout } = await rowhouse(["drill", "--json", basename(backup)], {
      ROWHOUSE_HOME: home,
    });
    expect(listFaults({ report: JSON.parse(stdout)[0] })).toEqual([]);
  }
});

test("a backup waits for a migration that runs, since that changes more than rows", async () => {
  const { home } = await startStack();
  await inHome(home, async (client) => {
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    const backup = backUp(home);
    const waiting = () => client.query("select from pg_locks where not granted");
    await expect
      .poll(async () => (await waiting()).rowCount, { timeout: 20_000 })
      .toBeGreaterThan(0);
    await client.query("select pg_advisory_unlock($1)", [migrationLock]);
    expect(existsSync(await backup)).toBe(true);
  });
});

test.each([
  ["a writer", "begin; insert into api.users (email) values ('long@x.org')"],
  ["a migration", `select pg_advisory_lock(${migrationLock})`],
])("a backup that waits for %s can be interrupted, and leaves nothing", async (_, statement) => {
  const { home } = await startStack();
  await inHome(home, async (client) => {
    await client.query(statement);
    const child = startBackup(home);
    let printed = "";
    child.stderr.on("data", (chunk) => {
      printed += chunk;
    });
    const ended = once(child, "exit");
    await expect.poll(() => printed, { timeout: 20_000 }).toContain("Waiting for a moment");
    child.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
  });
  expect(readdirSync(join(home, "backups"))).toEqual([]);
});

test("a backup during which PostgreSQL dies says so, and leaves nothing", async () => {
  const stack = await startStack();
  const { home } = stack;
  const backup = await inHome(home, async (client) => {
    await client.query("begin; insert into api.users (email) values ('long@x.org')");
    const child = startBackup(home);
    let printed = "";
    child.stderr.on("data", (chunk) => {
      printed += chunk;
    });
    const ended = once(child, "close");
    await expect.poll(() => printed, { timeout: 20_000 }).toContain("Waiting for a moment");
    process.kill(stack.pid("postgres"), "SIGKILL");
    const [code] = await ended;
    return { code, printed };
  });
  expect(backup.printed).toMatch(
    /error \[backup_failed\] PostgreSQL ended while the backup was made/,
  );
  expect(backup.code).toBe(1);
  expect(readdirSync(join(home, "backups"))).toEqual([]);
  await stack.prints(/^PostgreSQL runs again\.$/m);
  expect(existsSync(await backUp(home))).toBe(true);
});
