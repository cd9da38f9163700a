import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { compareCatalogs, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { toReadOnly } from "../../src/schema/init/source.ts";
import { readApiNames } from "../../src/stack/api-names.ts";
import { withClient } from "../../src/stack/database.ts";
import { emptyDatabase } from "../../src/testing/database.ts";
import {
  buildFresh,
  dbmateUp,
  emptyFolder,
  init,
  openPlace,
  type Place,
  readAll,
  readFixture,
  run,
} from "../support/adopted.ts";
import { type Outcome, rowhouse } from "../support/cli.ts";
import { withoutOwnStack } from "../support/environment.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";

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
  [
    "supabase",
    ["--platform", "supabase"],
    "policies/storage/objects.sql",
    [
      "Left out, since the role is the platform's: grant select, update on public.profiles to supabase_auth_admin\n",
    ],
  ],
  ["neon", ["--platform", "neon"], "sql/public/colour.sql", ["that look like a secret.\n"]],
  [
    "postgrest",
    [],
    "sql/roles/web_anon.sql",
    [
      "The setting app.jwt_secret of all roles looks like a secret",
      "The setting app.jwt_secret of function api.keyed() looks like a secret",
      "The setting app.api_pw of function api.keyed() looks like a secret",
      "The option api_key of server elsewhere looks like a secret",
      "The user mapping of web_anon on server elsewhere was left out",
      "The subscription copies was left out",
    ],
  ],
])(
  "a project of a database in the style of %s is the same database, also on a new server",
  async (name, options, file, notices) => {
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
    for (const line of notices) expect(files["README.md"]).toContain(line);
    expect(JSON.stringify(files)).not.toContain("source-secret");
    expect(Object.keys(files).filter((path) => path.startsWith("."))).toEqual([
      ".env.example",
      ".gitignore",
    ]);

    const { platform } = readProject(folder);
    const catalog = await readCatalog(source, platform);
    expect(catalog.length).toBeGreaterThan(30);
    const fresh = await buildFresh(folder);
    const built = await readCatalog(fresh, platform);
    expect(compareCatalogs(catalog, built)).toEqual({ missing: [], surplus: [] });
    for (const url of [source, fresh]) expect(await listReaders(url)).toEqual([]);

    symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
    const tsc = join(projectRoot, "node_modules/typescript/bin/tsc");
    expect(await run(folder, process.execPath, [tsc, "--noEmit"])).toEqual(silent);
  },
  240_000,
);

/** The roles that dbmate's table is open to, which default privileges of its schema may do. */
async function listReaders(url: string): Promise<string[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string }>(
      `select rolname as name
      from pg_catalog.pg_roles
      where rolname !~ '^pg_'
      and not rolsuper
      and has_table_privilege(oid, 'public.schema_migrations', 'select, insert, update, delete')`,
    ),
  );
  return rows.map(({ name }) => name);
}

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
  expect(files["postgrest.conf"]).not.toContain("db-max-rows");
});

test("where no role logs in for PostgREST, init says which one `npm start` needs", async () => {
  const place = await openPlace(`create role tiny_anon; ${small}`);
  const options = ["--schemas", "public", "--anon-role", "tiny_anon", "--no-pre-request"];
  const { code, stderr } = await init(place, ...options);
  expect(code).toBe(0);
  const note = stderr.split("\n").find((line) => line.includes("`npm start` needs one")) ?? "";
  expect(readAll(place.folder)["README.md"]).toContain(note);

  // It is followed to the letter.
  const [, file = "", sql] = /write (\S+): (.*;) /.exec(note) ?? [];
  const [, command = ""] = /run `npx rowhouse (.*)`/.exec(note) ?? [];
  writeFileSync(join(place.folder, file), `${sql}\n`);
  const env = { SCRATCH_URL: undefined };
  const migrated = await rowhouse(command.split(" "), env, place.folder);
  expect(migrated).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^wrote .*_login\.sql/),
  });
  const fresh = await buildFresh(place.folder);
  const project = readProject(place.folder);
  const { logins } = await withClient(fresh, (client) => readApiNames(client, project));
  expect(logins).toEqual(["authenticator"]);

  // A server without TLS, as docs/adopt.md says.
  const plain = new URL(fresh);
  plain.searchParams.delete("sslmode");
  const refused = await dbmateUp(place.folder, plain.href);
  expect(refused.stderr).toContain("SSL is not enabled on the server");
}, 120_000);

test("odd names and objects arrive, and what no file can hold is named", async () => {
  const place = await openPlace(readFixture("odd"));
  const { code, stderr } = await init(place);
  const named = [...stderr.matchAll(/^ {2}(\S.*)$/gm)].map(([, object]) => object);
  expect(named).toEqual([
    "constraint id_positive on public.child",
    "property not-null constraint on public.cache{2}",
    "role dba",
    "text search configuration public.ts",
  ]);
  expect(stderr).toContain("The user mapping of public on server s was left out");
  expect(stderr).toContain("those of authenticator2 were taken, and not those of elsewhere.");
  expect(stderr).toContain("The setting work_mem of role elsewhere in this database was left out");
  expect(stderr).toContain("The setting app.mailer of all roles looks like a secret");
  const files = readAll(place.folder);
  expect(files["postgrest.conf"]).toContain('db-schemas = "My Schema, public"');
  expect(files["sql/roles/deployer.sql"]).toContain("create role deployer");
  expect(files["sql/roles/dba.sql"]).toMatch(/^ {4}create role dba nologin;$/m);
  expect(stderr).toContain("The role dba is a superuser there, and a request can have it: ");
  expect(files["sql/database/privileges.sql"]).toContain("set app.settings.jwt_aud to");
  expect(files["sql/public/a_b.sql"]).toBe(
    'create sequence public."a  b" increment by 1 minvalue 0 maxvalue 9223372036854775807 start with 1;\n',
  );
  const lines = stderr.trimEnd().split("\n");
  expect(lines.pop()).toBe("README.md lists it, too.");
  expect(files["README.md"]).toContain(`\`\`\`text\n${lines.filter(isLoss).join("\n")}\n\`\`\``);
  expect(JSON.stringify(files) + stderr).not.toContain("source-secret");
  expect(code).toBe(1);
}, 120_000);

/** All but that it goes on. */
function isLoss(line: string): boolean {
  return !/^Reading .* and building what was read/.test(line);
}

test("settings of another project's login role are not taken where an option says so", async () => {
  const place = await openSmallPlace(`${small}; create schema api;`);
  const id = new URL(place.source).pathname.slice(1);
  const [theirs, ours] = [`theirs_${id}`, `ours_${id}`];
  const administer = (sql: string) => withClient(place.source, (client) => client.query(sql));
  await administer(`
    create role ${theirs} login noinherit;
    create role ${ours} login noinherit;
    grant anonymous to ${ours};
    alter role ${theirs} in database ${id} set pgrst.db_schemas = 'api';
    alter role ${theirs} in database ${id} set pgrst.db_pre_request = 'their.check';
  `);
  onTestFinished(async () => {
    await administer(
      `alter role ${theirs} in database ${id} reset all; drop role ${theirs}; drop role ${ours}`,
    );
  });
  const taken = await init(place);
  expect(taken.stderr).toContain("no function their.check");
  const options = ["--schemas", "public", "--anon-role", "anonymous"];
  expect((await init(place, ...options, "--login", ours)).code).toBe(0);
  const files = readAll(place.folder);
  expect(files["postgrest.conf"]).not.toContain("db-pre-request");
  expect(files).toHaveProperty([`sql/roles/${ours}.sql`]);
  const without = { ...place, folder: emptyFolder() };
  expect((await init(without, "--no-pre-request")).code).toBe(0);
  expect(readAll(without.folder)["postgrest.conf"]).toContain('db-schemas = "api"');
  expect(readAll(without.folder)["postgrest.conf"]).not.toContain("db-pre-request");
});

test("a login role that means nothing to this database is not taken for PostgREST's", async () => {
  const place = await openPlace(`
    ${small};
    create role guest;
    grant select on public.lists to guest;
    create role elsewhere;
    create role other_gate login noinherit;
    grant elsewhere to other_gate;
    alter role other_gate set pgrst.db_schemas = 'public';
  `);
  expect((await init(place)).stderr).toContain("error [api_unknown]");
  expect((await init(place, "--schemas", "public", "--anon-role", "guest")).code).toBe(0);
  const roles = Object.keys(readAll(place.folder)).filter((path) => path.startsWith("sql/roles/"));
  expect(roles).toEqual(["sql/roles/guest.sql"]);
  // Neither do those that come later, one of the usual name among them.
  await withClient(place.source, (client) =>
    client.query("create role authenticator login noinherit; grant elsewhere to authenticator"),
  );
  const env = { SCRATCH_URL: place.scratch };
  for (const command of ["adopt", "check"]) {
    const args = ["db", command, "--against", place.source];
    expect(await rowhouse(args, env, place.folder)).toMatchObject({ code: 0, stderr: "" });
  }
}, 60_000);

test("a baseline is not rolled back, and not recorded where something differs", async () => {
  const place = await openSmallPlace(small);
  const { source, scratch, folder } = place;
  await init(place, "--schemas", "public");
  const env = { DATABASE_URL: source, SCRATCH_URL: scratch };
  for (const command of ["migrate", "migrate --dry-run", "status", "doctor"]) {
    const { stdout, stderr } = await rowhouse(command.split(" "), env, folder);
    expect([command, stdout + stderr]).toEqual([
      command,
      expect.stringContaining("run `npx rowhouse db adopt --against <url>`"),
    ]);
  }
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
  writeFileSync(
    join(folder, "db/migrations/29990101000000_more.sql"),
    "-- migrate:up\ncreate table public.more ();\n-- migrate:down\ndrop table public.more;\n",
  );
  await rowhouse(["migrate"], { DATABASE_URL: source }, folder);
  for (const steps of ["2", "all", "99"]) {
    const back = await rowhouse(["rollback", steps, "--yes"], { DATABASE_URL: source }, folder);
    expect(back.stderr).toMatch(/the baseline is not rolled back: [\s\S]*Give at most 1\./);
  }
  const one = await rowhouse(["rollback", "--yes"], { DATABASE_URL: source }, folder);
  expect(one.stdout).toBe("rolled back 29990101000000\n");
  const back = await rowhouse(["rollback", "--yes"], { DATABASE_URL: source }, folder);
  expect(back.stderr).toMatch(/the baseline is not rolled back: [\s\S]*No other migration is/);
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
    "an empty function",
    ["--from", "postgres://a@b/c", "--pre-request", ""],
    "Give a function like auth.check, or --no-pre-request.",
  ],
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
    [["--schemas", "public", "--login", "missing"], "no role missing", place.source],
    [
      ["--platform", "supabase"],
      "This is no database on Supabase: it has no schema auth, no schema extensions",
      place.source,
    ],
    [["--platform", "neon"], "This is no database on Neon: it has no role", place.source],
    [["--schemas", "public"], "database_refused", reading.href],
  ] as const) {
    const { code, stderr } = await init({ ...place, source }, ...options);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  }
  expect(readdirSync(place.folder)).toEqual([]);
});

test("a role that may not read the catalog learns what it may not read", async () => {
  const place = await openSmallPlace(small);
  const role = `blind_${new URL(place.source).pathname.slice(1)}`;
  const reading = new URL(place.source);
  [reading.username, reading.password] = [role, "blind"];
  const administer = (sql: string) => withClient(place.source, (client) => client.query(sql));
  await administer(
    `create role ${role} login password 'blind'; revoke select on pg_catalog.pg_policy from public`,
  );
  onTestFinished(async () => void (await administer(`drop role ${role}`)));
  const { code, stderr } = await init({ ...place, source: reading.href }, "--schemas", "public");
  expect(stderr).toContain("error [database_refused]");
  expect(stderr).toContain("permission denied for table pg_policy");
  expect(code).toBe(1);
  expect(readdirSync(place.folder)).toEqual([]);
});

test("what PostgreSQL does not make again is named, and nothing is written", async () => {
  const place = await openSmallPlace(`
    ${small};
    create function public.short(text) returns text language plpgsql immutable as 'begin return $1; end';
    create index lists_short on public.lists (public.short(title));
    alter function public.short(text) volatile;
  `);
  const { code, stderr } = await init(place, "--schemas", "public");
  expect(stderr).toMatch(
    /error \[init_failed\].* create index lists_short on public\.lists .*must be marked IMMUTABLE\n.*Nothing was written/,
  );
  expect(code).toBe(1);
  expect(readdirSync(place.folder)).toEqual([]);
});

test("a folder that holds something is left alone", async () => {
  const place = await openSmallPlace(small);
  writeFileSync(join(place.folder, "notes.txt"), "");
  const { stderr } = await init(place, "--schemas", "public");
  expect(stderr).toMatch(/folder_not_empty.*it holds notes\.txt/);
  expect(readdirSync(place.folder)).toEqual(["notes.txt"]);
});

test.each([
  ["Ctrl-C at the start", "SIGINT", (files: string[]) => files[0]],
  [
    "Ctrl-C when the migration is written",
    "SIGINT",
    (files: string[]) => files.find((path) => path.endsWith("_baseline.sql")),
  ],
  [
    "SIGTERM when the files are written",
    "SIGTERM",
    (files: string[]) => files.find((path) => path.endsWith("sql/public/lists.sql")),
  ],
] as const)("%s leaves nothing", async (_, signal, find) => {
  const { source, folder } = await openSmallPlace(small);
  const args = [rowhouseCommand, "init", "--from", source, "--schemas", "public"];
  const child = spawn(process.execPath, args, { cwd: folder, env: withoutOwnStack({}) });
  const ended = once(child, "exit");
  const list = () => readdirSync(folder, { recursive: true, encoding: "utf8" });
  expect(await waitFor(() => find(list()), 5, 20_000)).toBeDefined();
  child.kill(signal);
  expect(await ended).toEqual([130, null]);
  expect(list()).toEqual([]);
});
