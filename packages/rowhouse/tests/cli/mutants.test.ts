import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { generateMutants, selectMutants } from "../../src/access/mutants/generate.ts";
import { type Mutant, mutantTitle } from "../../src/access/mutants/mutant.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { rowhouse } from "../support/cli.ts";
import { copyProject } from "../support/project.ts";

/** All mutants of the schema as it is. */
let mutants: Mutant[];

beforeAll(async () => {
  mutants = await withClient(await cloneDatabase(), generateMutants);
});

/** Runs each mutant's SQL and takes it back, in one session; fails with the first that fails. */
async function applyEach(url: string, those: readonly Mutant[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const { sql, undo } of those) {
      await client.query("begin");
      await client.query(sql).catch((error) => {
        throw new Error(`${error.message}: ${sql}`);
      });
      if (undo !== null) await client.query(undo);
      await client.query("rollback");
    }
  });
}

describe("the mutants", () => {
  test.each([
    "policy dropped",
    "using (true)",
    "with check (true)",
    "no with check",
    "other command",
    "wider role",
    "restrictive for permissive",
    "RLS off",
    "FORCE off",
    "extra grant on a table",
    "extra grant on a column",
    "extra grant on a schema",
    "extra grant on a function",
    "extra grant by default",
    "grant option",
    "key without user_id",
    "foreign key dropped",
    "inverted in using",
    "inverted in with check",
    "term dropped in with check",
    "security definer",
    "stronger role",
    "role setting dropped",
    "other role setting",
    "trigger off",
  ])("of our schema have the kind: %s", (kind) => {
    expect(mutants.map((one) => one.kind)).toContain(kind);
  });

  test("differ from each other, and all can be applied", async () => {
    expect(new Set(mutants.map(({ sql }) => sql)).size).toBe(mutants.length);
    await applyEach(await cloneDatabase(), mutants);
  });

  test("keep a policy's comment, so that the tests cannot notice only that", () => {
    const made = mutants.filter(({ sql }) => sql.includes("create policy"));
    expect(made.length).toBeGreaterThan(20);
    for (const { sql } of made) expect(sql).toMatch(/;\n\ncomment on policy \w+ on [\w.]+ is\s+'/);
  });

  test("are generated for what a DBA adds, whatever its name", async () => {
    const url = await cloneDatabase();
    const added = await withClient(url, async (client) => {
      await client.query(`
        create table api."My notes" (
          user_id uuid not null,
          id uuid not null,
          task_id uuid,
          "key" text,
          primary key (user_id, id),
          unique (user_id, "key"),
          foreign key (user_id, task_id) references api.tasks (user_id, id) on delete cascade
        );
        create unique index lowered on api."My notes" (user_id, lower("key")) where "key" <> '';
        create policy "by day" on api."My notes" as restrictive for delete to authenticated
          using ("key" <> ' AND (' and (id is null or task_id is null) and user_id is not null);
        create view api.views with (security_invoker = true) as
          select id, title from api.tasks where completed and not (title = '' or title = 'x');
        create policy cased on api."My notes" for insert to authenticated
          with check (case when "key" is null then user_id = id else not ("key" = 'a' or "key" = 'b') end);
        create policy either on api."My notes" for select to authenticated
          using (user_id = request.user_id() and "key" is null or "key" = 'open');
      `);
      const all = await generateMutants(client);
      return all.filter(({ object }) => /My notes|api\.views/.test(object));
    });
    await applyEach(url, added);
    const toSql = (kind: string) => added.filter((one) => one.kind === kind).map(({ sql }) => sql);
    expect(toSql("permissive for restrictive")[0]).toContain("as permissive");
    const using = /^alter policy "by day" on api\."My notes"\nusing \((.*)\);$/;
    expect(toSql("term dropped in using").flatMap((sql) => using.exec(sql)?.[1] ?? [])).toEqual([
      "((id IS NULL) OR (task_id IS NULL)) and (user_id IS NOT NULL)",
      "(key <> ' AND ('::text) and (user_id IS NOT NULL)",
      "(key <> ' AND ('::text) and ((id IS NULL) OR (task_id IS NULL))",
    ]);
    expect(toSql("term dropped in using").join()).toContain(
      "using ((key IS NULL) or (key = 'open'::text))",
    );
    expect(toSql("foreign key without user_id")[0]).toMatch(
      /foreign key \(task_id\) references api\.tasks \(id\) on delete cascade;$/,
    );
    const keys = toSql("key without user_id").join("\n");
    expect(keys).toContain("primary key (id)");
    expect(keys).toContain("unique (key)");
    expect(keys).toMatch(/on api\."My notes" \(lower\(key\)\)\nwhere /);
    expect(toSql("view of its owner")).toHaveLength(1);
    const ofView = toSql("term dropped in a view");
    expect(ofView).toHaveLength(4);
    for (const sql of ofView)
      expect(sql).toMatch(
        /^create or replace view api\.views\nwith \(security_invoker=true\) as\n/,
      );
    expect(toSql("inverted in a view")).toHaveLength(4);
    const cased = toSql("term dropped in with check").join("\n");
    expect(cased).toMatch(/THEN true\s+ELSE \(NOT/);
    expect(cased).toMatch(/THEN \(user_id = id\)\s+ELSE true/);
  });

  test("look into subqueries of policies, and into the functions that these call", async () => {
    const url = await cloneDatabase();
    const added = await withClient(url, async (client) => {
      await client.query(`
        create table api.members (list_id uuid, member_id uuid, role text);
        create sequence api.numbers;
        grant usage on sequence api.numbers to authenticated;
        create function private.same(a text, b text) returns boolean language sql immutable
          return a = b and (a <> '') and true;
        create operator private.== (function = private.same, leftarg = text, rightarg = text);
        create function private.may(list_id uuid) returns boolean language plpgsql stable as $$
          begin return private.is_member(list_id); end
        $$;
        create function private.is_member(list_id uuid) returns boolean language sql stable
          set search_path = api, pg_catalog as $$
          -- Unqualified, in lower case, with a comment; the operator calls a function.
          select exists (
            select from members m
            where m.list_id = is_member.list_id and m.member_id = request.user_id() or m.role operator(private.==) 'all'
          ) and list_id is not null $$;
        create function private.unused(a uuid) returns boolean language sql return a is null and true;
        alter table api.members enable row level security;
        create policy "see" on api.members for select to authenticated using (
          exists (select from api.members m where m.list_id = members.list_id and m.member_id = request.user_id())
          and private.may(list_id)
        );
      `);
      const all = await generateMutants(client);
      return all.filter(({ object }) =>
        /members|private\.(may|is_member|same|unused)\(|numbers/.test(object),
      );
    });
    await applyEach(url, added);
    const toSql = (kind: string, object = "") =>
      added.filter((one) => one.kind === kind && one.object.includes(object)).map(({ sql }) => sql);
    const inSubquery = toSql("term dropped in a subquery of using").map(
      (sql) => /WHERE.*$/m.exec(sql)?.[0],
    );
    expect(inSubquery).toEqual([
      expect.stringContaining("WHERE (m.member_id = request.user_id())"),
      expect.stringContaining("WHERE (m.list_id = members.list_id)"),
    ]);
    expect(toSql("inverted in a subquery of using")).toHaveLength(2);
    const always = added.filter(({ kind }) => kind === "function returns true");
    expect(always.map(({ object }) => object)).toEqual([
      "private.is_member(uuid)",
      "private.may(uuid)",
      "private.same(text,text)",
    ]);
    const dropped = toSql("term dropped in a function", "is_member").join("\n");
    expect(dropped).toContain("WHERE (true)");
    expect(dropped).toMatch(/WHERE \(\(m.list_id = is_member.list_id\) or/);
    expect(dropped).toMatch(/WHERE \(\(m.member_id = request.user_id\(\)\) or/);
    expect(dropped).toMatch(/SELECT \(list_id IS NOT NULL\)/);
    expect(toSql("term dropped in a function", "private.same").length).toBeGreaterThan(1);
    expect(toSql("extra grant on a sequence")).toContain(
      "grant update on sequence api.numbers to authenticated;",
    );
    expect(toSql("extra grant on a sequence")).toHaveLength(8);
    expect(toSql("grant option")).toEqual([
      "grant usage on sequence api.numbers to authenticated\nwith grant option;",
    ]);
  });

  test("can be picked by a text in their object or kind, in any case", () => {
    expect(selectMutants(mutants)).toEqual(mutants);
    expect(selectMutants(mutants, "force OFF").map(mutantTitle)).toEqual([
      "api.tasks: FORCE off",
      "api.users: FORCE off",
    ]);
    expect(selectMutants(mutants, "select_own on api.users").length).toBeGreaterThan(5);
    expect(() => selectMutants(mutants, "nothing")).toThrow(
      expect.objectContaining({ code: "no_mutants" }),
    );
  });
});

test("rowhouse mutants fails with 1 on a survivor, when a test is missing", async () => {
  const project = copyProject();
  const dir = join(project, "tests/database");
  for (const file of readdirSync(dir)) if (file !== "me.sql") rmSync(join(dir, file));
  const { code, stdout, stderr } = await rowhouse(["mutants", "--only", "tasks: RLS"], {}, project);
  expect(stdout).toContain("alter table api.tasks disable row level security;\n");
  expect(stdout).toMatch(/0 of 1 killed: 0 %\n$/);
  expect(stderr).toBe("Trying 1 mutant.\n");
  expect(code).toBe(1);
});
