import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Files, readOwnedFiles } from "../../src/schema/upgrade/owned-files.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject, projectRoot } from "../support/project.ts";

const limit = "sql/private/limit_affected_rows.sql";
const blank = "sql/request/is_blank.sql";

/** What this version owns: the repository's own files are what the build copies. */
const current = readOwnedFiles(join(import.meta.dirname, "../../dist/owned"));

/** A project that an older version wrote, whose function allowed 50 rows instead of 100. */
function olderProject(): { project: string; base: Files } {
  const project = copyProject();
  const base = {
    ...current,
    [limit]: older(current[limit]),
    [blank]: `-- Old.\n${current[blank]}`,
  };
  for (const [path, text] of Object.entries(base)) {
    if (path.startsWith("sql/")) writeFileSync(join(project, path), text);
  }
  const migrations = join(project, "db/migrations");
  const file = readdirSync(migrations).find((name) => name.includes("private")) ?? "";
  edit(project, join("db/migrations", file), older);
  writeLock(project, { version: "0.0.9", files: base });
  return { project, base };
}

function older(text = ""): string {
  return text.replace("    100\n", "    50\n");
}

function edit(project: string, path: string, change: (text: string) => string): void {
  writeFileSync(join(project, path), change(read(project, path)));
}

function read(project: string, path: string): string {
  return readFileSync(join(project, path), "utf8");
}

function writeLock(project: string, lock: object): void {
  writeFileSync(join(project, "rowhouse.lock.json"), JSON.stringify(lock));
}

const upgrade = (project: string, ...args: string[]) =>
  rowhouse(["upgrade", ...args], { ROWHOUSE_HOME: newHome() }, project);

function upgradeMigrations(project: string): string[] {
  return readdirSync(join(project, "db/migrations")).filter((name) =>
    name.includes("_upgrade_to_"),
  );
}

test("The copies in the repository are what the package brings to projects", () => {
  for (const [path, text] of Object.entries(current)) {
    expect(text, path).toBe(readFileSync(join(projectRoot, path), "utf8"));
  }
  expect(Object.keys(current)).toContain("sql/request/check.sql");
  expect(Object.keys(current)).toContain("postgrest.conf");
});

test("An upgrade replaces files, writes a proven migration, and has nothing to do afterwards", async () => {
  const { project } = olderProject();
  const dryRun = await upgrade(project, "--dry-run");
  expect(dryRun.stdout).toContain(`${limit}: updated`);
  expect(read(project, limit)).toContain("    50\n");
  expect(upgradeMigrations(project)).toEqual([]);

  const { code, stdout, stderr } = await upgrade(project);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("Proven") });
  expect(stdout).toContain(`${blank}: updated`);
  expect(read(project, limit)).toBe(current[limit]);
  const [migration = ""] = upgradeMigrations(project);
  expect(read(project, join("db/migrations", migration))).toContain("    100\n");
  expect((await rowhouse(["db", "check"], { ROWHOUSE_HOME: newHome() }, project)).code).toBe(0);
  expect((await upgrade(project)).stdout).toMatch(/every file is current\.\n$/);
});

test("An edit in another place is merged, and comes into the migration", async () => {
  const { project } = olderProject();
  edit(project, limit, (text) => text.replace("Narrow the filter", "Narrow your filter"));
  edit(
    project,
    join("db/migrations", readdirSync(join(project, "db/migrations"))[2] ?? ""),
    (text) => text.replace("Narrow the filter", "Narrow your filter"),
  );
  const { code, stdout } = await upgrade(project);
  expect(code).toBe(0);
  expect(stdout).toContain(`${limit}: merged with your edits`);
  expect(read(project, limit)).toContain("    100\n");
  expect(read(project, limit)).toContain("Narrow your filter");
});

test("An edit in the same place is left between markers, without a migration, and with exit code 1", async () => {
  const { project } = olderProject();
  const migration = join("db/migrations", readdirSync(join(project, "db/migrations"))[2] ?? "");
  for (const path of [limit, migration]) {
    edit(project, path, (text) => text.replace("    50\n", "    70\n"));
  }
  const { code, stdout, stderr } = await upgrade(project);
  expect(code).toBe(1);
  expect(stdout).toContain(`${limit}: conflict`);
  expect(stderr).toContain("Resolve the conflicts");
  expect(read(project, limit)).toContain(
    "<<<<<<< yours\n    70\n=======\n    100\n>>>>>>> rowhouse",
  );
  expect(upgradeMigrations(project)).toEqual([]);

  const again = await upgrade(project);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("Conflict markers of an earlier upgrade are left in");
});

test("Files of a later version are not taken back by an older one", async () => {
  const { project, base } = olderProject();
  writeLock(project, { version: "0.10.0", files: base });
  const { code, stderr } = await upgrade(project);
  expect(code).toBe(1);
  expect(stderr).toContain("[upgrade_refused] Rowhouse 0.10.0 wrote the files");
  expect(read(project, limit)).toContain("    50\n");
});

test("A file that was deleted stays deleted, with a word about it", async () => {
  const { project } = olderProject();
  rmSync(join(project, "compose"), { recursive: true, force: true });
  writeLock(project, {
    version: "0.0.9",
    files: { ...current, "compose/backup.sh": "an older one" },
  });
  for (const path of [limit, blank]) writeFileSync(join(project, path), current[path] ?? "");
  const { code, stdout } = await upgrade(project);
  expect(code).toBe(0);
  expect(stdout).toContain("compose/backup.sh: kept");
  expect(existsSync(join(project, "compose"))).toBe(false);
});

test("An upgrade is refused while own changes lack a migration, and changes nothing", async () => {
  const { project } = olderProject();
  edit(
    project,
    "policies/users.sql",
    (text) => `${text}\ngrant delete on api.users to authenticated;\n`,
  );
  const { code, stderr } = await upgrade(project);
  expect(code).toBe(1);
  expect(stderr).toContain("[upgrade_refused]");
  expect(read(project, limit)).toContain("    50\n");
  expect(JSON.parse(read(project, "rowhouse.lock.json")).version).toBe("0.0.9");
});

test("An upgrade that would make requests fail is refused, and changes nothing", async () => {
  const { project, base } = olderProject();
  // The version before let anonymous requests ask for an email address, and a policy does.
  const email = "sql/request/email.sql";
  const wider = (text = "") => text.replace(" to authenticated;", " to anonymous, authenticated;");
  edit(project, email, wider);
  writeLock(project, { version: "0.0.9", files: { ...base, [email]: wider(base[email]) } });
  const open = `
grant usage on schema api to anonymous;
grant select (title) on api.tasks to anonymous;
create policy select_open on api.tasks
for select to anonymous
using (request.email() is null);
`;
  edit(project, "policies/tasks.sql", (text) => text + open);
  writeFileSync(
    join(project, "db/migrations/20991231000000_open.sql"),
    `-- migrate:up\n${open}\ngrant execute on function request.email() to anonymous;\n-- migrate:down\n`,
  );
  const { code, stdout, stderr } = await upgrade(project);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(
    /\[requests_fail\].*api\.tasks: every select by anonymous fails: 42501 permission denied for function email/s,
  );
  expect(read(project, limit)).toContain("    50\n");
  expect(JSON.parse(read(project, "rowhouse.lock.json")).version).toBe("0.0.9");
});

test.each([
  ["is missing", undefined, "lock_missing"],
  ["is no JSON", "{", "lock_invalid"],
  ["has no files", '{"version": "0.0.9"}', "lock_invalid"],
  ["leads outside", '{"version": "0.0.9", "files": {"../x": ""}}', "lock_invalid"],
])("An upgrade whose rowhouse.lock.json %s says so, and changes nothing", async (_, text, code) => {
  const { project } = olderProject();
  rmSync(join(project, "rowhouse.lock.json"));
  if (text !== undefined) writeFileSync(join(project, "rowhouse.lock.json"), text);
  const outcome = await upgrade(project);
  expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining(`[${code}]`) });
  expect(read(project, limit)).toContain("    50\n");
});
