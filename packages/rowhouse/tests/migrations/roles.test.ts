import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { describeProof } from "../../src/commands/db/migration.ts";
import { type Draft, draftMigration } from "../../src/schema/plan/migration.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate, rollback } from "../../src/stack/dbmate.ts";
import { openOwnScratch, type Scratch } from "../../src/stack/scratch.ts";
import { copyProject } from "../support/project.ts";

// Each draft starts two servers.
vi.setConfig({ testTimeout: 180_000 });
afterAll(() => vi.resetConfig());

/** A project whose sql/ makes roles that no migration brings yet. */
function projectWith(files: Readonly<Record<string, string>>): string {
  const root = copyProject();
  for (const [file, sql] of Object.entries(files)) writeFileSync(join(root, file), sql);
  return root;
}

/** Lets a test work on a server of its own: roles belong to a server. */
async function withServer<T>(work: (server: Scratch) => Promise<T>): Promise<T> {
  const server = await openOwnScratch();
  return work(server).finally(server.close);
}

/** Drafts the missing migration of a project as the command does, and writes it. */
async function draft(root: string, name: string): Promise<Draft | undefined> {
  const dir = join(root, "db/migrations");
  const draft = await withServer((migrated) =>
    withServer((declared) => draftMigration({ root, dir, migrated, declared }, name)),
  );
  if (draft) writeFileSync(join(dir, draft.file), draft.text);
  return draft;
}

const bare = "-- migrate:up\ncreate role staff;\n-- migrate:down\nselect 1;\n";

const staff = `create role staff nologin noinherit;
grant staff to authenticator;
alter role staff set statement_timeout = '5s';
grant usage on schema api to staff;
`;

test("a role is made where it is missing, and stays on the way down, on a server with two databases", async () => {
  const root = projectWith({ "sql/roles/staff.sql": staff });
  const dir = join(root, "db/migrations");
  const first = await draft(root, "staff");
  expect(first?.up[0]).toBe(`do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'staff') then
    create role staff noinherit nologin;
  end if;
end
$$`);
  const [up, down] = first?.text.split("-- migrate:down") ?? [];
  expect(up).toContain("grant staff to authenticator;");
  expect(up).toContain("notify pgrst, 'reload config';");
  expect(down).not.toMatch(/\brole\b|staff (to|from) authenticator/);
  expect(down).toContain("revoke usage on schema api from staff;");
  expect(describeProof(first as Draft)).toContain(
    "Down leaves the role staff, with its settings, what it is a member of and its members: roles belong to the server.",
  );

  await withServer(async (server) => {
    const [one, two] = [await server.create(), await server.create()];
    await migrate(one, undefined, dir);
    await migrate(two, undefined, dir);
    await rollback(one, readdirSync(dir).length, undefined, dir);
    const { rows } = await withClient(two, (client) =>
      client.query("select pg_has_role('authenticator', 'staff', 'member') as member"),
    );
    expect(rows).toEqual([{ member: true }]);
    await migrate(one, undefined, dir);
  });
});

test("what an old role gets, it loses on the way down", async () => {
  const root = projectWith({
    "sql/roles/more.sql":
      "alter role authenticated set statement_timeout = '7s';\ngrant authenticated to authenticator with admin option;",
  });
  const changed = await draft(root, "more");
  const [, down] = changed?.text.split("-- migrate:down") ?? [];
  expect(down).toContain("alter role authenticated set statement_timeout to '5s';");
  expect(down).toMatch(/revoke admin option for authenticated from authenticator/);
  expect(describeProof(changed as Draft)).toHaveLength(1);
});

test("the migration after one that makes a role is drafted, too", async () => {
  const root = projectWith({ "sql/roles/staff.sql": staff });
  await draft(root, "staff");
  writeFileSync(
    join(root, "sql/api/notes.sql"),
    "create table api.notes (id int primary key);\ngrant select on api.notes to staff;\n",
  );
  const second = await draft(root, "notes");
  expect(second?.up).toContain("grant select on api.notes to staff");
  expect(second?.text).not.toContain("create role");
});

test("a migration that makes a role unconditionally fails with what to write in its place", async () => {
  const root = copyProject();
  const dir = join(root, "db/migrations");
  writeFileSync(join(dir, "20991231000000_bare.sql"), bare);
  await withServer(async (server) => {
    await migrate(await server.create(), undefined, dir);
    await expect(migrate(await server.create(), undefined, dir)).rejects.toMatchObject({
      code: "migration_failed",
      remedy: expect.stringContaining("create it in a `do` block"),
    });
  });
});

test("a role that nothing in the database shows is part of the plan, and one that leaves sql/ is let go", async () => {
  const root = projectWith({ "sql/roles/reporter.sql": "create role reporter noinherit login;" });
  expect((await draft(root, "reporter"))?.text).toContain("create role reporter noinherit login;");
  expect(await draft(root, "again")).toBeUndefined();
  writeFileSync(
    join(root, "sql/roles/reporter.sql"),
    "create role reporter login; grant authenticated to reporter;",
  );
  const changed = await draft(root, "changed");
  expect(changed?.up.join(";\n")).toContain("grant authenticated to reporter");
  writeFileSync(join(root, "sql/roles/reporter.sql"), "");
  expect(await draft(root, "gone")).toBeUndefined();
});
