import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { compareCatalogs, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { toReadOnly } from "../../src/schema/init/source.ts";
import { findDbmate } from "../../src/stack/binaries.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { openOwnScratch } from "../../src/stack/scratch.ts";
import { emptyDatabase } from "../../src/testing/database.ts";
import { type Outcome, rowhouse } from "../support/cli.ts";
import { withoutOwnStack } from "../support/environment.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";

/** A database that other people made, and where its project goes. */
interface Place {
  readonly source: string;
  /** A server for the command, which has none of the database's roles. */
  readonly scratch: string;
  readonly folder: string;
}

/** Makes a database of SQL on a server of its own, which ends with the test. */
async function openPlace(sql: string): Promise<Place> {
  const [server, scratch] = await Promise.all([openOwnScratch(), openOwnScratch()]);
  onTestFinished(async () => void (await Promise.all([server.close(), scratch.close()])));
  const source = await server.create();
  await withClient(source, (client) => client.query(sql));
  return { source, scratch: scratch.serverUrl, folder: emptyFolder() };
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rowhouse-init-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function readFixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "../fixtures/databases", `${name}.sql`), "utf8");
}

function init({ source, scratch, folder }: Place, ...options: string[]): Promise<Outcome> {
  return rowhouse(["init", "--from", source, ...options], { SCRATCH_URL: scratch }, folder);
}

async function run(folder: string, program: string, args: readonly string[], env = {}) {
  return new Promise<Outcome>((resolve) => {
    const options = { cwd: folder, env: { ...process.env, ...env } };
    execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Lets dbmate, as a deploy does, bring a database what is pending. */
function dbmateUp(folder: string, url: string): Promise<Outcome> {
  return run(folder, findDbmate(), ["--no-dump-schema", "up"], { DATABASE_URL: url });
}

/** Every file of a folder, by its path. */
function readAll(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.sort().map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]),
  );
}

/** The database that a project builds on a new server: the platform's stubs, then the migrations. */
async function buildFresh(folder: string): Promise<string> {
  const server = await openOwnScratch();
  onTestFinished(server.close);
  const url = await server.create(inDatabase(server.serverUrl, "template0"));
  for (const [path, sql] of Object.entries(readAll(folder)))
    if (path.startsWith("platform/")) await withClient(url, (client) => client.query(sql));
  expect((await dbmateUp(folder, url)).stdout).toContain("Applied");
  return url;
}

/** What a reader of docs/adopt.md runs, in order. */
const commands = [
  ...readFileSync(join(projectRoot, "docs/adopt.md"), "utf8").matchAll(/```sh\n(.*?)```/gs),
].flatMap(([, block = ""]) => block.trim().split("\n"));

function runLine(line: string, { source, scratch, folder }: Place): Promise<Outcome> {
  if (line.includes("npx dbmate")) return dbmateUp(folder, source);
  const args = line.replace("npx rowhouse ", "").replace('"$SOURCE"', source).trim().split(/ +/);
  return rowhouse(args, { SCRATCH_URL: scratch }, folder);
}

/** By a role that the fixture lets connect, and nothing else. */
function toReader(source: string): string {
  const url = new URL(source);
  [url.username, url.password] = ["reader", "source-secret"];
  return url.href;
}

const silent: Outcome = { code: 0, stdout: "", stderr: "" };

test.each([
  ["supabase", ["--platform", "supabase"], "policies/storage/objects.sql"],
  ["neon", ["--platform", "neon"], "sql/public/colour.sql"],
  ["postgrest", [], "sql/roles/web_anon.sql"],
])(
  "a project of a database in the style of %s is the same database, also on a new server",
  async (name, options, file) => {
    const place = await openPlace(readFixture(name));
    const { source, folder } = place;
    if (options.length > 0) {
      const { stderr } = await init(place);
      expect(stderr).toMatch(new RegExp(`platform_unnamed.*\n.*${options.join(" ")};`));
      expect(readdirSync(folder)).toEqual([]);
    }
    for (const line of commands) {
      const asReader = name === "postgrest" && line.includes("rowhouse init");
      const outcome = await runLine(line.replace("--platform supabase", options.join(" ")), {
        ...place,
        source: asReader ? toReader(source) : source,
      });
      expect([line, outcome]).toEqual([line, expect.objectContaining({ code: 0 })]);
      if (/db check|dbmate/.test(line)) expect([line, outcome]).toEqual([line, silent]);
    }
    const files = readAll(folder);
    expect(files).toHaveProperty([file]);
    expect(JSON.stringify(files)).not.toContain("source-secret");
    expect(Object.keys(files).filter((path) => path.startsWith("."))).toEqual([
      ".env.example",
      ".gitignore",
    ]);

    const { platform } = readProject(folder);
    const catalog = await readCatalog(source, platform);
    expect(catalog.length).toBeGreaterThan(30);
    const fresh = await readCatalog(await buildFresh(folder), platform);
    expect(compareCatalogs(catalog, fresh)).toEqual({ missing: [], surplus: [] });

    symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
    const tsc = join(projectRoot, "node_modules/typescript/bin/tsc");
    expect(await run(folder, process.execPath, [tsc, "--noEmit"])).toEqual(silent);
  },
  240_000,
);

/** A small database on the server under test, and an empty folder. */
async function openSmallPlace(sql = ""): Promise<Place> {
  const source = await emptyDatabase();
  await withClient(source, (client) => client.query(sql));
  return { source, scratch: inject("serverUrl"), folder: emptyFolder() };
}

const small = "create table public.lists (id bigint primary key, title text not null)";

test("a connection of init can write nothing", async () => {
  const place = await openSmallPlace(`
    create table public.calls (id bigint);
    create function public.call() returns int language plpgsql as $$
    begin
      insert into public.calls values (1);
      return 1;
    end
    $$;
  `);
  const call = (url: string) => withClient(url, (client) => client.query("select public.call()"));
  await expect(call(toReadOnly(place.source))).rejects.toThrow("in a read-only transaction");
  await call(place.source);
});

test("without row-level security it works, and says so", async () => {
  const place = await openSmallPlace(small);
  const { code, stderr } = await init(place, "--schemas", "public", "--anon-role", "anonymous");
  expect(stderr).toContain("No table has row-level security");
  expect(code).toBe(0);
  const files = readAll(place.folder);
  expect(files["sql/public/lists.sql"]).toBe(`create table public.lists (
  id bigint not null,
  title text not null,
  constraint lists_pkey primary key (id)
);
`);
  expect(files["postgrest.conf"]).toContain('db-schemas = "public"\n');
  expect(files["postgrest.conf"]).toContain('db-anon-role = "anonymous"\n');
});

test("odd names and objects arrive, and what no file can hold is named", async () => {
  const place = await openPlace(readFixture("odd"));
  const { code, stderr } = await init(place);
  const named = [...stderr.matchAll(/^ {2}(\S.*)$/gm)].map(([, object]) => object);
  expect(named).toEqual(["text search configuration public.ts", "user mapping public on s"]);
  expect(stderr).toMatch(/Left out, since it holds a secret .*: create user mapping/);
  expect(stderr).toContain("The setting work_mem of role elsewhere in this database was left out");
  expect(stderr).toContain("The setting app.mailer of all roles looks like a secret");
  const files = readAll(place.folder);
  expect(files["postgrest.conf"]).toContain('db-schemas = "My Schema, public"');
  expect(files["sql/roles/deployer.sql"]).toContain("create role deployer");
  expect(files["sql/database/privileges.sql"]).toContain("set app.settings.jwt_aud to");
  expect(files["sql/public/a_b.sql"]).toBe(
    'create sequence public."a  b" increment by 1 minvalue 0 maxvalue 9223372036854775807 start with 1;\n',
  );
  expect(JSON.stringify(files) + stderr).not.toContain("source-secret");
  expect(code).toBe(1);
}, 120_000);

test("a baseline is not rolled back, and not recorded where something differs", async () => {
  const place = await openSmallPlace(small);
  const { source, scratch, folder } = place;
  await init(place, "--schemas", "public");
  await withClient(source, (client) => client.query("alter table public.lists add note text"));
  const refused = await rowhouse(
    ["db", "adopt", "--against", source],
    { SCRATCH_URL: scratch },
    folder,
  );
  expect(refused.stderr).toMatch(/adopt_refused[\s\S]*column public.lists.note/);
  await withClient(source, (client) => client.query("alter table public.lists drop note"));
  await withClient(source, (client) =>
    client.query(
      "alter default privileges in schema public grant all on tables to anonymous; alter default privileges in schema public revoke all on tables from anonymous",
    ),
  );
  await rowhouse(["db", "adopt", "--against", source], { SCRATCH_URL: scratch }, folder);
  const back = await rowhouse(["rollback", "--yes"], { DATABASE_URL: source }, folder);
  expect(back.stderr).toContain("the baseline is not rolled back: it would drop every table");
});

test.each([
  ["no_such_host", ["--from", "postgres://nobody@127.0.0.1:1/none"], "database_unreachable"],
  [
    "an unknown platform",
    ["--from", "postgres://a@b/c", "--platform", "oracle"],
    "Allowed choices are supabase, neon, none",
  ],
  ["no url", ["--from", "mysql://a@b/c"], "Give a URL like postgres://"],
  [
    "a name that is empty",
    ["--from", "postgres://a@b/c", "--schemas", "a,,b"],
    "Give names like api",
  ],
])("%s is refused, and the folder stays empty", async (_, args, message) => {
  const folder = emptyFolder();
  const { code, stderr } = await rowhouse(["init", ...args], {}, folder);
  expect(stderr).toContain(message);
  expect(code).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test("what the database does not say is asked for, and what it lacks is named", async () => {
  const place = await openSmallPlace(small);
  const role = `reader_${new URL(place.source).pathname.slice(1)}`;
  const reading = new URL(place.source);
  [reading.username, reading.password] = [role, "reader"];
  await withClient(place.source, (client) =>
    client.query(
      `create role ${role} login password 'reader'; revoke connect on database ${reading.pathname.slice(1)} from public`,
    ),
  );
  onTestFinished(
    async () =>
      void (await withClient(place.source, (client) => client.query(`drop role ${role}`))),
  );
  for (const [options, message, source] of [
    [[], "api_unknown", place.source],
    [["--schemas", "public,missing"], "The database has no schema missing.", place.source],
    [["--schemas", "public", "--anon-role", "missing"], "no role missing", place.source],
    [
      ["--schemas", "public", "--pre-request", "public.missing"],
      "no function public.missing",
      place.source,
    ],
    [["--schemas", "public"], "database_refused", reading.href],
  ] as const) {
    const { code, stderr } = await init({ ...place, source }, ...options);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  }
  expect(readdirSync(place.folder)).toEqual([]);
});

test("a folder that holds something is left alone", async () => {
  const place = await openSmallPlace(small);
  writeFileSync(join(place.folder, "notes.txt"), "");
  const { stderr } = await init(place, "--schemas", "public");
  expect(stderr).toMatch(/folder_not_empty.*it holds notes\.txt/);
  expect(readdirSync(place.folder)).toEqual(["notes.txt"]);
});

test("Ctrl-C leaves nothing", async () => {
  const { source, folder } = await openSmallPlace(small);
  const args = [rowhouseCommand, "init", "--from", source, "--schemas", "public"];
  const child = spawn(process.execPath, args, { cwd: folder, env: withoutOwnStack({}) });
  const ended = once(child, "exit");
  await waitFor(() => readdirSync(folder)[0], 5, 20_000);
  child.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
  expect(readdirSync(folder)).toEqual([]);
});
