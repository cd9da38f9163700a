import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { watchFolders } from "./watch.ts";

/** Two folders that are watched, and how many rounds of work there were. */
function startWatching() {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-watched-"));
  const [sql, policies] = [join(dir, "sql"), join(dir, "policies")];
  for (const root of [join(sql, "api"), policies]) mkdirSync(root, { recursive: true });
  let rounds = 0;
  const work = async () => {
    rounds += 1;
  };
  const watcher = watchFolders([sql, policies], work, (error) => {
    throw error;
  });
  onTestFinished(async () => {
    await watcher.close();
    rmSync(dir, { recursive: true });
  });
  return {
    dir,
    policies,
    sql,
    /** Resolves when a change has been worked on. */
    after: async (change: () => void) => {
      const before = rounds;
      change();
      await expect.poll(() => rounds, { interval: 5 }).toBeGreaterThan(before);
    },
  };
}

test("a save counts in a folder, in one below it, and in one that is new", async () => {
  const { sql, policies, after } = startWatching();
  await after(() => writeFileSync(join(policies, "a.sql"), ""));
  await after(() => writeFileSync(join(sql, "api/b.sql"), ""));
  await after(() => mkdirSync(join(sql, "extra")));
  await after(() => writeFileSync(join(sql, "extra/c.sql"), ""));
});

test("a folder that is taken away and put back is followed again", async () => {
  const { dir, sql, policies, after } = startWatching();
  await after(() => rmSync(policies, { recursive: true }));
  await after(() => mkdirSync(policies));
  await after(() => writeFileSync(join(policies, "a.sql"), ""));
  // At once, as git does it when it changes branches.
  cpSync(sql, join(dir, "other"), { recursive: true });
  await after(() => {
    rmSync(sql, { recursive: true });
    renameSync(join(dir, "other"), sql);
  });
  await after(() => writeFileSync(join(sql, "api/b.sql"), ""));
});
