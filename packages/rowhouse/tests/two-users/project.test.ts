import { execFile } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { withoutOwnStack } from "../support/environment.ts";
import { ownedTable } from "../support/owned-table.ts";
import { copyProject, projectRoot } from "../support/project.ts";

const vitest = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);

/** Runs tests of a project, as its user does. */
function runTests(project: string, ...files: string[]): Promise<{ code: number; output: string }> {
  // A server of its own: a second run on a server would change the password of authenticator.
  const env = withoutOwnStack({ TEST_DATABASE_URL: "", SCRATCH_URL: undefined });
  const args = [vitest, "run", "--reporter=verbose", ...files];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: project, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

/** The project without its tasks, and with what else is migrated. */
function projectWith(sql: string): string {
  const project = copyProject();
  cpSync(join(projectRoot, "vitest.config.ts"), join(project, "vitest.config.ts"));
  for (const file of ["sql/api/tasks.sql", "policies/tasks.sql", "tests/http/tasks.test.ts"]) {
    rmSync(join(project, file));
  }
  writeFileSync(
    join(project, "db/migrations/20990101000000_other_tables.sql"),
    `-- migrate:up\ndrop table api.tasks;\n${sql}\n-- migrate:down\n`,
  );
  return project;
}

const files = ["tests/http/privacy.test.ts", "tests/http/users.test.ts"];

test("a project with other tables runs the same tests, on its own tables", async () => {
  const { code, output } = await runTests(projectWith(ownedTable("notes")), ...files);
  expect(code, output).toBe(0);
  expect(output).toContain("notes: another user reads the row by id");
  expect(output).not.toContain("tasks");
}, 60_000);

test("a project without an owned table gets the note that nothing was tried", async () => {
  const { code, output } = await runTests(projectWith(""), ...files);
  expect(code, output).toBe(0);
  expect(output).toContain("two users: the database has no owned table");
}, 60_000);

test("a project whose policy lets others read fails, and names the attempt", async () => {
  const open = "create policy open on api.notes for select to authenticated using (true);";
  const project = projectWith(`${ownedTable("notes")} ${open}`);
  const { code, output } = await runTests(project, "tests/http/privacy.test.ts");
  expect(code, output).toBe(1);
  expect(output).toMatch(/[×✗].*notes: another user reads the row by id/);
}, 60_000);
