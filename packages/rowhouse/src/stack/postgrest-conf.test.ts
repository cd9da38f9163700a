import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findPostgrest } from "./binaries.ts";
import { apiVariables } from "./postgrest.ts";
import { parsePostgrestConf, readPostgrestConf } from "./postgrest-conf.ts";

const dir = mkdtempSync(join(tmpdir(), "rowhouse-conf-"));
afterAll(() => rmSync(dir, { recursive: true }));

const projectFile = join(import.meta.dirname, "../../../../postgrest.conf");

function conf(text: string): string {
  const file = join(dir, "postgrest.conf");
  writeFileSync(file, text);
  return file;
}

test("the project's file names the schema, the anonymous role and the pre-request check", () => {
  expect(readPostgrestConf(projectFile, {})).toEqual({
    schemas: ["api"],
    namesSchemas: true,
    extraSearchPath: ["api"],
    anonRole: "anonymous",
    preRequest: "request.check",
    roleClaim: ".role",
    jwtCache: true,
  });
});

test("without a line, PostgREST's own defaults hold", () => {
  const defaults = {
    schemas: ["public"],
    namesSchemas: false,
    extraSearchPath: ["public"],
    anonRole: undefined,
    preRequest: undefined,
    roleClaim: ".role",
    jwtCache: false,
  };
  expect(readPostgrestConf(conf(""), {})).toEqual(defaults);
  expect(readPostgrestConf(conf('db-pre-request = ""\n'), {})).toEqual(defaults);
});

test("PGRST_* variables win over the file, and an empty one does not", () => {
  const env = { PGRST_DB_SCHEMAS: "api, admin", PGRST_DB_ANON_ROLE: "", PGRST_PRE_REQUEST: "x.y" };
  expect(readPostgrestConf(projectFile, env)).toEqual({
    schemas: ["api", "admin"],
    namesSchemas: true,
    extraSearchPath: ["api"],
    anonRole: "anonymous",
    preRequest: "x.y",
    roleClaim: ".role",
    jwtCache: true,
  });
});

test("old names of a key are understood", () => {
  const file = conf('db-schema = "v1"\npre-request = "v1.check"\n');
  expect(readPostgrestConf(file, {})).toMatchObject({ schemas: ["v1"], preRequest: "v1.check" });
});

test.each([
  ['a = "x"', "x"],
  ['  a="x"  # why', "x"],
  ['a = "x # y"', "x # y"],
  [String.raw`a = "x \"y\" \\ z"`, String.raw`x "y" \ z`],
  ['a = ""', ""],
  ["a = 12", 12],
  ["a = -1.5 # why", -1.5],
  ["a = true", true],
  ["a = off", false],
  ['a = "one"\r\n', "one"],
  ['a = "one"\na = "two"', "two"],
])("a line is parsed: %s", (line, value) => {
  expect(parsePostgrestConf(line, "f").get("a")).toBe(value);
});

test("a key may have dots, and blank lines and comments say nothing", () => {
  const values = parsePostgrestConf('\n# one\n  # two\napp.settings.x = "y"\n', "f");
  expect([...values]).toEqual([["app.settings.x", "y"]]);
});

test.each(["a", "a =", "a = b", 'a = "b', 'a = "b" c', "= 1", 'a : "b"', "a = 1 2", "[a]"])(
  "a line that PostgREST would not read is refused with its number: %s",
  (line) => {
    expect(() => parsePostgrestConf(`# one\n\n${line}\n`, "postgrest.conf")).toThrow(
      expect.objectContaining({
        code: "settings_invalid",
        message: `postgrest.conf, line 3, cannot be read: ${line}`,
      }),
    );
  },
);

test("a file that is not there is named", () => {
  const file = join(dir, "none.conf");
  expect(() => readPostgrestConf(file, {})).toThrow(
    expect.objectContaining({
      code: "settings_invalid",
      message: expect.stringContaining(`Could not read ${file}: `),
    }),
  );
});

/** What PostgREST makes of a file and variables, without a database. */
function dumped(file: string, env: Record<string, string>): ReadonlyMap<string, unknown> {
  const text = execFileSync(findPostgrest(process.env.POSTGREST_BIN), [file, "--dump-config"], {
    encoding: "utf8",
    env: { PGRST_DB_CONFIG: "false", PGHOST: dir, ...env },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  });
  return parsePostgrestConf(text, "dump");
}

test("the JWT cache of PostgREST before 14 is on when it has a lifetime", () => {
  const read = (lifetime: string) =>
    readPostgrestConf(projectFile, { PGRST_JWT_CACHE_MAX_LIFETIME: lifetime }).jwtCache;
  expect([read("3600"), read("0"), read("")]).toEqual([true, false, true]);
  expect(readPostgrestConf(conf(""), {}).jwtCache).toBe(false);
});

test("PostgREST itself reads the project's file as Rowhouse does", () => {
  const settings = dumped(projectFile, {});
  for (const [key, value] of parsePostgrestConf(readFileSync(projectFile, "utf8"), "f")) {
    expect([key, value]).toEqual([key, settings.get(key)]);
  }
});

test("The claim that names the role is PostgREST's default, whose spelling versions differ in", () => {
  expect(parsePostgrestConf(readFileSync(projectFile, "utf8"), "f").has("jwt-role-claim-key")).toBe(
    false,
  );
  expect(dumped(projectFile, {}).get("jwt-role-claim-key")).toBe('."role"'); // in 12.0.2
});

test("PostgREST itself lets a variable win over the file", () => {
  expect(dumped(projectFile, { PGRST_DB_MAX_ROWS: "7" }).get("db-max-rows")).toBe(7);
});

const options = {
  databaseUrl: "postgres://nowhere/none",
  port: 3999,
  adminPort: 1,
  jwtSecret: "unused",
  jwtAud: "aud",
  jwtIss: "iss",
  pool: 7,
};

test("start passes on the user's PGRST_* variables, but for addresses and the secret", () => {
  const env = {
    PGRST_DB_POOL: "3",
    PGRST_LOG_LEVEL: "info",
    PGRST_DB_PRE_REQUEST: "",
    PGRST_DB_URI: "postgres://elsewhere/none",
    PGRST_JWT_SECRET: "another",
    PGRST_SERVER_PORT: "80",
  };
  const variables = apiVariables(options, env);
  expect(variables).toMatchObject({
    PGRST_DB_POOL: "3",
    PGRST_LOG_LEVEL: "info",
    PGRST_DB_URI: "postgres://nowhere/none",
    PGRST_JWT_SECRET: "unused",
    PGRST_SERVER_PORT: "3999",
  });
  expect(variables).not.toHaveProperty("PGRST_DB_PRE_REQUEST");
});
