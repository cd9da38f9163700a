import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Project, readProject } from "../lib/project.ts";
import { startCluster, type TestCluster } from "../testing/cluster.ts";
import { type ApiNames, readApiNames } from "./api-names.ts";
import { assertConfFits } from "./check-conf.ts";
import { inDatabase, withClient } from "./database.ts";

// A server of its own: roles are the server's, and those of the others are found from memberships.
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
  await withClient(cluster.url, (client) => client.query("create database shop"));
});
afterAll(() => cluster.stop());

/** A project without files, in a folder that is not there. */
function projectWith(changes: Partial<Project> = {}): Project {
  return { ...readProject("/nonexistent"), ...changes };
}

/** Makes what a test needs in a transaction, reads the names, and takes all of it back. */
async function namesAfter(sql: string, project = projectWith()): Promise<ApiNames> {
  return withClient(inDatabase(cluster.url, "shop"), async (client) => {
    await client.query("begin");
    await client.query(sql);
    const names = await readApiNames(client, project);
    await client.query("rollback");
    return names;
  });
}

const supabase = `
  create role anon nologin;
  create role authenticated nologin;
  create role service_role nologin bypassrls;
  create role authenticator login noinherit;
  grant anon, authenticated, service_role to authenticator;
  create role storage_admin login noinherit;
  grant authenticator to storage_admin;
  create role owner_of_all login;
  create role backups nologin;
  grant anon, backups to owner_of_all;
  alter role authenticator set pgrst.db_schemas = 'public, shop';
  alter role authenticator in database shop set pgrst.db_anon_role = 'anon';
  create schema auth;
  create schema shop;
  create table auth.users (id uuid primary key, email varchar(255));
`;

test("names come from the settings of the role that PostgREST logs in as", async () => {
  expect(await namesAfter(supabase)).toEqual({
    schemas: ["public", "shop"],
    extraSearchPath: ["public"],
    anonymous: "anon",
    roles: ["anon", "authenticated", "service_role"],
    user: "authenticated",
    logins: ["authenticator"],
    preRequest: undefined,
    users: undefined,
    usersTable: undefined,
  });
});

test("auth.users holds the users where a foreign key of another schema points there", async () => {
  const sql = `${supabase} create table shop.orders (id int, buyer uuid references auth.users);`;
  expect(await namesAfter(sql)).toMatchObject({
    users:
      "select id::text as id, email::text as email, null::timestamptz as created, null::jsonb as claims from auth.users",
    usersTable: "auth.users",
  });
  expect(await namesAfter(sql.replace("'public, shop'", "'public'"))).toMatchObject({
    usersTable: "auth.users",
  });
  expect(await namesAfter(sql.replace("shop.orders", "auth.sessions"))).toMatchObject({
    usersTable: undefined,
  });
});

test("auth.users holds the users where a policy asks auth.uid()", async () => {
  const sql = `${supabase}
    create function auth.uid() returns uuid language sql return null::uuid;
    create table shop.people (id uuid primary key, name text);
  `;
  expect(await namesAfter(sql)).toMatchObject({ usersTable: undefined });
  const policy = "create policy own on shop.people using (id = (select auth.uid()));";
  expect(await namesAfter(sql + policy)).toMatchObject({ usersTable: "auth.users" });
});

test("package.json names the role of the users, which requests can have where that is known", async () => {
  const bare = "create role authenticated nologin; create role member nologin;";
  const project = projectWith({ userRole: "member" });
  expect(await namesAfter(bare, project)).toMatchObject({ user: "member", logins: [] });
  const login = `${bare} create role authenticator login noinherit; grant authenticated to authenticator;`;
  await expect(namesAfter(login, project)).rejects.toMatchObject({
    code: "settings_invalid",
    message: expect.stringContaining("names member, which no request can have"),
  });
});

test("JWT_ROLE is a role that requests can have where that is known", async () => {
  const url = inDatabase(cluster.url, "shop");
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-names-"));
  const project = projectWith({ postgrestConf: join(dir, "postgrest.conf") });
  writeFileSync(project.postgrestConf, 'db-schemas = "public"\n');
  const run = (sql: string) => withClient(url, (client) => client.query(sql));
  const check = () => assertConfFits(url, project, "member", () => {});
  onTestFinished(async () => {
    rmSync(dir, { recursive: true });
    await run("drop role if exists authenticator, authenticated, member");
  });
  await run("create role authenticated nologin; create role member nologin");
  await check();
  await run("create role authenticator login noinherit; grant authenticated to authenticator");
  await expect(check()).rejects.toMatchObject({
    code: "settings_invalid",
    message: "JWT_ROLE is member, which no request can have: those are authenticated.",
  });
});

test("package.json names the table of the users, or a query", async () => {
  const sql = `create table public."People" (no bigint primary key, id int);`;
  expect(await namesAfter(sql, projectWith({ users: 'public."People"' }))).toMatchObject({
    users: `select no::text as id, null::text as email, null::timestamptz as created, null::jsonb as claims from public."People"`,
    usersTable: 'public."People"',
  });
  const users = `select no as id, 'x' as email from public."People" -- all`;
  expect(await namesAfter(sql, projectWith({ users }))).toMatchObject({
    users: expect.stringContaining(users),
    usersTable: undefined,
  });
  await expect(namesAfter(sql, projectWith({ users: "public.people" }))).rejects.toMatchObject({
    code: "settings_invalid",
    message: expect.stringContaining("names public.people, and the database has no such table"),
  });
});

test("without any of these names nothing is assumed", async () => {
  expect(await namesAfter("")).toEqual({
    schemas: ["public"],
    extraSearchPath: ["public"],
    anonymous: undefined,
    roles: [],
    user: undefined,
    logins: [],
    preRequest: undefined,
    users: undefined,
    usersTable: undefined,
  });
});

test("without an anonymous role a login is one that inherits nothing", async () => {
  const sql = `
    create role editor; create role reader; create role pgrst login noinherit;
    grant editor, reader to pgrst;
    create role ann login; grant editor to ann;
  `;
  expect(await namesAfter(sql)).toMatchObject({
    roles: ["editor", "reader"],
    user: "editor",
    logins: ["pgrst"],
  });
});

/** A project whose postgrest.conf says what is served. */
function projectServing(conf: string): Project {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-names-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "postgrest.conf"), conf);
  return projectWith({ postgrestConf: join(dir, "postgrest.conf") });
}

describe("on a server with several projects", () => {
  // Another project's login, with settings for all databases; `guest` and `shop` are this project's.
  const served = { schemas: ["shop"], anonymous: "guest", preRequest: undefined };
  const theirs = { schemas: ["public", "billing"], anonymous: "clinic_guest" };
  const clinic = `
    create schema shop; create table shop.items (id int);
    create role guest; grant select on shop.items to guest;
    create role clinic_guest; create role clinic_gate login noinherit; grant clinic_guest to clinic_gate;
    alter role clinic_gate set pgrst.db_schemas = 'public, billing';
    alter role clinic_gate set pgrst.db_anon_role = 'clinic_guest';
    alter role clinic_gate set pgrst.db_pre_request = 'public.check';
  `;
  const both = 'db-schemas = "shop"\ndb-anon-role = "guest"\n';
  const gate = "create role shop_gate login noinherit; grant guest to shop_gate;";

  test.each<[string, string, Partial<ApiNames>]>([
    ["no login can become the anonymous role", "", served],
    ["this project's login has no settings", gate, served],
    [
      "this project's login has settings",
      `${gate} alter role shop_gate set pgrst.db_schemas = 'v1, shop';`,
      { ...served, schemas: ["v1", "shop"] },
    ],
    ["the other login may become it, too", `${gate} grant guest to clinic_gate;`, served],
    ["the other login alone may become it", "grant guest to clinic_gate;", theirs],
    [
      "the other login may not connect",
      "grant guest to clinic_gate; revoke connect on database shop from public;",
      served,
    ],
    ["the other login is above this project's", `${gate} grant shop_gate to clinic_gate;`, served],
    [
      "the other login is the usual one",
      `${gate} grant guest to clinic_gate; alter role clinic_gate rename to authenticator;`,
      theirs,
    ],
    [
      "the settings are for this very database",
      "grant guest to clinic_gate; alter role clinic_gate in database shop set pgrst.db_schemas = 'shop, v2';",
      { ...theirs, schemas: ["shop", "v2"] },
    ],
  ])("postgrest.conf and settings where %s", async (_, sql, expected) => {
    expect(await namesAfter(clinic + sql, projectServing(both))).toMatchObject(expected);
  });

  test("without an anonymous role the login is the one that a grant of this database reaches", async () => {
    const project = projectServing('db-schemas = "shop"\n');
    const names = { ...served, anonymous: undefined };
    expect(await namesAfter(clinic, project)).toMatchObject(names);
    expect(await namesAfter(clinic + gate, project)).toMatchObject({
      ...names,
      logins: ["shop_gate"],
    });
    const set = `${clinic}${gate} alter role shop_gate set pgrst.db_anon_role = 'guest';`;
    expect(await namesAfter(set, project)).toMatchObject(served);
  });
});
