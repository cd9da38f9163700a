import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { runPgtap } from "../../src/testing/pgtap.ts";
import { projectRoot } from "../support/project.ts";
import { sharedTableSql } from "../support/shared-table.ts";
import { type Backend, startBackend } from "./backend.ts";

// A count that is planned or estimated comes from the planner, which knows the rows of all users.

/** One more than db-max-rows, from which on count=estimated asks the planner. */
const tooMany = 1001;
const mallory = randomUUID();
let api: Backend;

/** Mallory has more rows than one answer may have, another user thousands; the planner knows. */
beforeAll(async () => {
  api = await startBackend({ extra: { PGRST_DB_PLAN_ENABLED: "true" } }, prepare);
  await signIn(api, mallory);
  const other = await signIn(api);
  const fill =
    "insert into api.tasks (user_id, title) select $1, 'task' from generate_series(1, $2::int)";
  await api.sql(fill, [mallory, tooMany]);
  await api.sql(fill, [other.id, 3000]);
  await api.sql("analyze api.tasks");
});
afterAll(() => api.stop());

const prepare = `
  ${sharedTableSql("lists")}
  create view api.invoker with (security_invoker = on) as select * from api.tasks;
  create view api.barrier with (security_barrier, security_invoker = on) as select id from api.tasks;
  create function api.all_tasks() returns setof api.tasks language sql stable
  begin atomic select * from api.tasks; end;
  create function api.opaque() returns setof api.tasks language plpgsql stable set search_path = ''
  as $$ begin return query select * from api.tasks; end $$;
  create table api.colours (name text primary key);
  insert into api.colours values ('red'), ('green');
  grant select on api.invoker, api.barrier, api.colours to authenticated;
  grant execute on function api.all_tasks, api.opaque to authenticated;
  grant usage on schema api to anonymous;
  grant select on api.tasks to anonymous;
  create policy select_anonymous on api.tasks for select to anonymous
  using (user_id = request.user_id());
`;

/** What is asked for: fetch would join two headers of one name, which PostgREST reads apart. */
interface Asked {
  readonly path: string;
  readonly headers?: Record<string, string | string[]>;
  readonly method?: string;
  readonly user?: string | undefined;
}

/** The answer, with its Content-Range, and its body where there is one. */
function ask({ path, headers = {}, method = "GET", user = mallory }: Asked) {
  const token = user === "anonymous" ? {} : { authorization: `Bearer ${sign(claimsFor(user))}` };
  return new Promise<{ status: number; range: string | undefined; body: unknown }>(
    (resolve, reject) => {
      const options = { method, headers: { ...token, ...headers } };
      const asked = request(`${api.url}${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => {
          const { statusCode: status = 0, headers: answered } = response;
          const body = text === "" ? undefined : JSON.parse(text);
          resolve({ status, range: answered["content-range"], body });
        });
      });
      asked.on("error", reject).end();
    },
  );
}

const refused = {
  status: 400,
  body: {
    code: "PT400",
    details: "planned_count_refused",
    message: "Planned and estimated counts are refused: they would count the rows of all users.",
    hint: "Ask for Prefer: count=exact.",
  },
};

const planned = { prefer: "count=planned" };

describe("A planned count is refused", () => {
  test.each<[string, Asked]>([
    ["of a table", { path: "/tasks", headers: planned }],
    ["of users", { path: "/users", headers: planned }],
    ["of a table that users share", { path: "/lists", headers: planned }],
    ["of members", { path: "/lists_members", headers: planned }],
    ["with a filter that finds nothing", { path: "/tasks?title=eq.none", headers: planned }],
    ["with a condition that is never true", { path: "/tasks?id=is.null", headers: planned }],
    ["with limit=0", { path: "/tasks?limit=0", headers: planned }],
    ["with a range", { path: "/tasks", headers: { ...planned, range: "0-0" } }],
    ["of embedded rows", { path: "/users?select=id,tasks(id)", headers: planned }],
    ["of a join", { path: "/users?select=id,tasks!inner(id)", headers: planned }],
    ["of an embedded count", { path: "/users?select=tasks(count)", headers: planned }],
    ["of a view", { path: "/invoker", headers: planned }],
    ["of a view with a barrier", { path: "/barrier", headers: planned }],
    ["of anonymous", { path: "/tasks", headers: planned, user: "anonymous" }],
    [
      "that is estimated, above the limit",
      { path: "/tasks", headers: { prefer: "count=estimated" } },
    ],
    [
      "in a second header",
      { path: "/tasks", headers: { prefer: ["count=planned", "return=minimal"] } },
    ],
    [
      "in the last header",
      { path: "/tasks", headers: { prefer: ["return=minimal", "count=planned"] } },
    ],
    [
      "in capitals and spaces",
      { path: "/tasks", headers: { prefer: "return=minimal , count=planned" } },
    ],
  ])("%s", async (_, asked) => {
    expect(await ask(asked)).toMatchObject(refused);
  });

  test.each([
    "application/vnd.pgrst.plan",
    "application/vnd.pgrst.plan+json",
    "application/vnd.pgrst.plan; options=analyze|verbose|buffers",
  ])("as a plan, where the server gives them: %s", async (accept) => {
    expect(await ask({ path: "/tasks", headers: { accept } })).toMatchObject(refused);
  });

  test("to HEAD, whose answer has no body, again and again", async () => {
    for (let times = 0; times < 10; times += 1) {
      const answer = await ask({ path: "/tasks", headers: planned, method: "HEAD" });
      expect(answer).toEqual({ status: 400, range: undefined, body: undefined });
    }
  });
});

describe("What tells nothing of others is answered", () => {
  test.each<[string, Asked, string]>([
    ["an exact count", { path: "/tasks", headers: { prefer: "count=exact" } }, `0-999/${tooMany}`],
    [
      "an estimated count up to the limit",
      { path: "/users", headers: { prefer: "count=estimated" } },
      "0-0/1",
    ],
  ])("%s", async (_, asked, range) => {
    expect(await ask(asked)).toMatchObject({
      status: range.startsWith("0-999") ? 206 : 200,
      range,
    });
  });

  test.each(["all_tasks", "opaque"])(
    "a function, of which nothing is planned: %s",
    async (name) => {
      const range = async (prefer: string) =>
        (await ask({ path: `/rpc/${name}`, headers: { prefer } })).range;
      expect(await range("count=planned")).toBe("0-999/*");
      expect(await range("count=estimated")).toBe(`0-999/${tooMany}`);
    },
  );

  test("a planned count of a table whose rows all may read", async () => {
    const { status, range } = await ask({ path: "/colours", headers: planned });
    expect([status, range?.startsWith("0-1/")]).toEqual([206, true]);
  });

  test("a DBA's EXPLAIN of what a user asks, with comments or not", async () => {
    await withClient(api.databaseUrl, async (client) => {
      await client.query("begin; set local role authenticated");
      for (const comment of ["", "/* a */ ", "-- a\n"]) {
        expect(
          (await client.query(`${comment}explain select 1 from api.tasks`)).rows[0],
        ).toBeDefined();
      }
    });
  });
});

test.each([
  "explain select 1 from api.tasks",
  "EXPLAIN (format json) select 1 from api.tasks",
  " \n\texplain analyze select 1 from api.tasks",
  "-- a comment\n/* another /* in it */ */ explain select 1 from api.tasks",
  "explain declare c cursor for select 1 from api.tasks",
  "explain execute asked",
])("Within a request this is refused: %j", async (statement) => {
  await withClient(api.databaseUrl, async (client) => {
    await client.query("begin; set local role authenticated; set local request.method = 'GET'");
    await client.query("prepare asked as select 1 from api.tasks");
    await expect(client.query(statement)).rejects.toMatchObject({ code: "PT400" });
  });
});

test.each([
  ["a PL/pgSQL function", "request.hidden()"],
  [
    "the claims themselves",
    "(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid",
  ],
])("A project's own tests find a policy that asks %s", async (_, caller) => {
  const url = await cloneDatabase(inject("pgtapTemplate"));
  await withClient(url, (client) =>
    client.query(`
      create function request.hidden() returns uuid language plpgsql stable set search_path = ''
      as $$ begin return request.user_id(); end $$;
      comment on function request.hidden() is 'It is a test.';
      grant execute on function request.hidden() to authenticated;
      alter policy select_own on api.tasks using (user_id = ${caller})`),
  );
  const assertions = await runPgtap(url, `${projectRoot}/tests/database/schemas.sql`);
  expect(assertions.filter(({ ok }) => !ok)).toMatchObject([
    {
      name: "No table or view tells how many rows of others the planner expects",
      diagnosis: expect.stringContaining("(authenticated,api.tasks)"),
    },
  ]);
});
