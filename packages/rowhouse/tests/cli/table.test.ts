import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isTableName } from "../../src/schema/new-table/name.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject } from "../support/project.ts";
import { sharedTableSql } from "../support/shared-table.ts";

const env = () => ({ ROWHOUSE_HOME: newHome() });
const files = ["sql/api/notes.sql", "policies/notes.sql", "tests/database/notes.sql"];
const sharedFiles = [
  "sql/api/user_data.sql",
  "sql/api/user_data_members.sql",
  "sql/request/is_member_of_user_data.sql",
  "sql/private/add_owner_of_user_data.sql",
  "sql/private/keep_owner_of_user_data.sql",
  "sql/private/announce_end_to_user_data.sql",
  "sql/private/pass_on_user_data.sql",
  "sql/private/end_user_data_with_members.sql",
  "policies/user_data.sql",
  "policies/user_data_members.sql",
  "tests/database/user_data.sql",
  "tests/database/user_data_members.sql",
];

describe("rowhouse db table", () => {
  test("writes a table that lints clean, migrates, and whose tests kill every mutant of it", async () => {
    const project = copyProject();
    const { code, stdout } = await rowhouse(["db", "table", "notes"], env(), project);
    expect(code).toBe(0);
    expect(stdout).toBe(files.map((file) => `wrote ${file}\n`).join(""));
    expect(await rowhouse(["lint"], env(), project)).toMatchObject({ code: 0 });
    expect(await rowhouse(["db", "migration", "notes"], env(), project)).toMatchObject({ code: 0 });
    const mutants = await rowhouse(["mutants", "--only", "api.notes"], env(), project);
    expect(mutants).toMatchObject({ code: 0, stdout: expect.stringMatching(/100 %\n$/) });
  }, 120_000);

  test("writes a shared table that lints clean, migrates, and whose tests kill every mutant of it", async () => {
    const project = copyProject();
    const { code, stdout } = await rowhouse(
      ["db", "table", "user_data", "--shared"],
      env(),
      project,
    );
    expect(code).toBe(0);
    expect(stdout).toBe(sharedFiles.map((file) => `wrote ${file}\n`).join(""));
    expect(await rowhouse(["lint"], env(), project)).toMatchObject({ code: 0 });
    expect(await rowhouse(["db", "migration", "user_data"], env(), project)).toMatchObject({
      code: 0,
    });
    const mutants = await rowhouse(["mutants", "--only", "user_data"], env(), project);
    expect(mutants).toMatchObject({ code: 0, stdout: expect.stringMatching(/100 %\n$/) });
  }, 240_000);

  test("leaves room for what is named after the longest name", () => {
    const name = "a".repeat(40);
    expect(isTableName(name)).toBe(true);
    const names = sharedTableSql(name).match(/\ba{40}\w*|\w+_a{40}\b/g) ?? [];
    expect(names.length).toBeGreaterThan(10);
    for (const one of names) expect(one.length, one).toBeLessThanOrEqual(63);
  });

  test("writes none of the files of a shared table when one of them exists", async () => {
    const project = copyProject();
    writeFileSync(join(project, "policies/lists_members.sql"), "-- mine\n");
    const { code, stderr } = await rowhouse(["db", "table", "lists", "--shared"], env(), project);
    expect(code).toBe(1);
    expect(stderr).toContain("[file_exists] policies/lists_members.sql exists already.");
    expect(existsSync(join(project, "sql/api/lists.sql"))).toBe(false);
  });

  test("writes none of the files when one of them exists", async () => {
    const project = copyProject();
    writeFileSync(join(project, "policies/notes.sql"), "-- mine\n");
    const { code, stderr } = await rowhouse(["db", "table", "notes"], env(), project);
    expect(code).toBe(1);
    expect(stderr).toContain("[file_exists] policies/notes.sql exists already.");
    expect(readFileSync(join(project, "policies/notes.sql"), "utf8")).toBe("-- mine\n");
    expect(existsSync(join(project, "sql/api/notes.sql"))).toBe(false);
  });

  test.each(["sql/api/users.sql", "sql/request/user_id.sql"])(
    "writes nothing in a project that has users of its own, without %s",
    async (file) => {
      const project = copyProject();
      rmSync(join(project, file));
      const { code, stderr } = await rowhouse(["db", "table", "notes"], env(), project);
      expect(code).toBe(1);
      expect(stderr).toContain("[users_missing]");
      expect(existsSync(join(project, "sql/api/notes.sql"))).toBe(false);
    },
  );

  test.each(["Notes", "my notes", "2notes", "order", "user", "a".repeat(41), "", "notes;drop"])(
    "refuses the name %j",
    async (name) => {
      expect(isTableName(name)).toBe(false);
      const { code, stderr } = await rowhouse(["db", "table", name], env(), copyProject());
      expect(code).toBe(1);
      expect(stderr).toContain("no word that SQL reserves");
    },
  );
});
