import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isTableName } from "../../src/schema/new-table/name.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject } from "../support/project.ts";

const env = () => ({ ROWHOUSE_HOME: newHome() });
const files = ["sql/api/notes.sql", "policies/notes.sql", "tests/database/notes.sql"];

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

  test("writes none of the files when one of them exists", async () => {
    const project = copyProject();
    writeFileSync(join(project, "policies/notes.sql"), "-- mine\n");
    const { code, stderr } = await rowhouse(["db", "table", "notes"], env(), project);
    expect(code).toBe(1);
    expect(stderr).toContain("[file_exists] policies/notes.sql exists already.");
    expect(readFileSync(join(project, "policies/notes.sql"), "utf8")).toBe("-- mine\n");
    expect(existsSync(join(project, "sql/api/notes.sql"))).toBe(false);
  });

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
