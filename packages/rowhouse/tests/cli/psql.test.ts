import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { readyHome, rowhouse, startStack } from "../support/cli.ts";

describe("rowhouse status --url", () => {
  test("prints a URL that signs in, while a stack runs", async () => {
    const stack = await startStack();
    const { code, stdout } = await rowhouse(["status", "--url"], stack.env);
    expect(code).toBe(0);
    const { rows } = await withClient(stdout.trim(), (client) =>
      client.query("select current_database() as name"),
    );
    expect(rows).toEqual([{ name: "rowhouse" }]);
  });

  test("says that no stack runs, and what to do", async () => {
    const { code, stdout, stderr } = await rowhouse(["status", "--url"], {
      ROWHOUSE_HOME: readyHome(),
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("Run `npm start`");
  });

  test("prints DATABASE_URL where that is set", async () => {
    const DATABASE_URL = "postgres://owner:secret@db.example:5432/app";
    const { stdout } = await rowhouse(["status", "--url"], { DATABASE_URL });
    expect(stdout).toBe(`${DATABASE_URL}\n`);
  });
});

describe("rowhouse psql", () => {
  test("says where to get psql when there is none", async () => {
    const bin = mkdtempSync(join(tmpdir(), "rowhouse-bin-"));
    onTestFinished(() => rmSync(bin, { recursive: true }));
    mkdirSync(join(bin, "empty"));
    const env = { ROWHOUSE_HOME: readyHome(), PATH: `${join(bin, "empty")}${delimiter}/usr/sbin` };
    const { code, stderr } = await rowhouse(["psql"], env);
    expect(code).toBe(1);
    expect(stderr).toContain("[tool_missing] psql is not on the PATH.");
  });

  test("hands arguments, environment and exit code on to and from psql", async () => {
    const bin = join(import.meta.dirname, "../support/bin");
    const env = { ROWHOUSE_HOME: readyHome(), PATH: `${bin}${delimiter}${process.env.PATH}` };
    const { code, stdout } = await rowhouse(["psql", "-c", "select 1", "--quiet"], env);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^-c\nselect 1\n--quiet\npostgres@127\.0\.0\.1\/rowhouse\n$/);
  });
});
