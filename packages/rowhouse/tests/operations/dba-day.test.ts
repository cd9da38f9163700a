import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { migratedClone } from "../../src/testing/database.ts";
import { inHome } from "../support/backup.ts";
import { type Outcome, readyHome, rowhouse, startStack } from "../support/cli.ts";
import { people } from "../support/people.ts";
import { copyProject, editFile } from "../support/project.ts";

/** The story of docs/policies.md: tasks must be created open, and are completed later. */
const before = "for insert to authenticated\nwith check (user_id = request.user_id());";
const after =
  "for insert to authenticated\nwith check (user_id = request.user_id() and not completed);";

/** The production database: migrated, with a user who has a done task. */
async function startProduction(): Promise<string> {
  const url = await migratedClone();
  await withClient(url, (client) =>
    client.query(`
      insert into api.users (id, email) values ('a11ce000-0000-4000-8000-000000000000', 'alice@example.com');
      insert into api.tasks (user_id, title, completed) values ('a11ce000-0000-4000-8000-000000000000', 'Rest', true);
    `),
  );
  return url;
}

test("a DBA changes a policy, sees it live, proves it, and deploys it", async () => {
  const [project, production] = [copyProject(), await startProduction()];
  const env = { ROWHOUSE_HOME: readyHome() };
  const run = (...args: string[]) => rowhouse(args, env, project);
  const edit = (file: string, from: string, to: string) => editFile(project, file, from, to);

  // The stack follows the files.
  const dev = await startStack(env, "dev", project);
  const token = (await run("token", "alice@example.com")).stdout.trim();
  const create = async (completed: boolean) => {
    const answer = await fetch(`${dev.url}/tasks`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        prefer: "return=representation",
      },
      body: JSON.stringify({ title: "Water the plants", completed }),
    });
    return { status: answer.status, body: (await answer.json()) as { id: string }[] };
  };
  const done = await create(true);
  expect(done.status).toBe(201);

  edit("policies/tasks.sql", before, after);
  await dev.prints(/^Applied in /m);
  expect(dev.output()).toContain("insert_own on api.tasks");
  expect(dev.output()).toMatch(/alice@example\.com +0 +1 +0/);
  expect((await create(true)).status).toBe(403);

  // A mistake is shown with its position, and the last good state keeps running.
  edit("policies/tasks.sql", "not completed", "not compleed");
  await dev.prints(/policies\/tasks\.sql:\d+:\d+: column "compleed" does not exist\n.*\n +\^/);
  expect((await create(true)).status).toBe(403);
  expect((await create(false)).status).toBe(201);
  edit("policies/tasks.sql", "not compleed", "not completed");

  // Which policy says no?
  const why = await run(
    "why",
    "--as",
    "alice@example.com",
    "insert",
    "tasks",
    done.body[0]?.id ?? "",
  );
  expect(why).toMatchObject({ code: 2, stdout: expect.stringContaining("insert_own") });

  // The tests know only the old rule, and then they do not know enough.
  const insertOwn = ["mutants", "--only", "insert_own on api.tasks"];
  expect(await run(...insertOwn)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\[tests_red\].*policies\.tasks\.sql/s),
  });
  edit("tests/database/policies.tasks.sql", "'All day', true", "'All day', false");
  expect(await run(...insertOwn)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/alter policy insert_own on api\.tasks/),
  });
  edit("tests/database/policies.tasks.sql", "plan(71)", "plan(72)");
  edit(
    "tests/database/policies.tasks.sql",
    "-- Alice and her own rows\n\nselect act_as(alice());\n",
    `-- Alice and her own rows

select act_as(alice());

select throws_ok(
  $$insert into api.tasks (title, completed) values ('Alice rests', true)$$,
  '42501', 'new row violates row-level security policy for table "tasks"',
  'Alice cannot create a task that is done already'
);
`,
  );
  expect(await run(...insertOwn)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/100 %/),
  });

  // Before the deploy: who would lose what in production? No one gains.
  expect(await run("rehearse", "--against", production)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/alice@example\.com +0 +1 +0/),
  });

  // The migration is written and proven; the dev database has it already.
  expect((await run("db", "check")).code).toBe(1);
  const written = await run("db", "migration", "tasks_are_created_open");
  const [, file = ""] =
    /^wrote (db\/migrations\/\d+_tasks_are_created_open\.sql)\n$/.exec(written.stdout) ?? [];
  expect(written.stderr).toMatch(/^Proven: .*\nThe home's database already has it: marked /);
  expect(readFileSync(join(project, file), "utf8")).toBe(`-- migrate:up

set local lock_timeout = '3s';

alter policy insert_own on api.tasks
to authenticated
with check (user_id = request.user_id() and not completed);

notify pgrst, 'reload schema';

-- migrate:down

set local lock_timeout = '3s';

alter policy insert_own on api.tasks
to authenticated
with check (user_id = request.user_id());

notify pgrst, 'reload schema';
`);

  // A review sees the change of access.
  expect((await run("access", "--check")).stderr).toContain("[access_stale]");
  expect((await run("access")).code).toBe(0);
  expect(readFileSync(join(project, "docs/access.md"), "utf8")).toContain("and not completed");

  // The deploy is dbmate's, and production then is what its migrations say.
  await migrate(production, undefined, join(project, "db/migrations"));
  const quiet: Outcome = { code: 0, stdout: "", stderr: "" };
  expect(await run("db", "check", "--against", production)).toEqual(quiet);
  expect(await dev.end()).toBe(0);
});

test("a save whose effects take too long to compute is still applied", async () => {
  const [project, home] = [copyProject(), readyHome()];
  const dev = await startStack({ ROWHOUSE_HOME: home }, "dev", project);
  await inHome(home, (client) => client.query(people));
  editFile(
    project,
    "policies/tasks.sql",
    "for select to authenticated\nusing (user_id = request.user_id())",
    "for select to authenticated\nusing (user_id = request.user_id() and pg_sleep(6) is not null)",
  );
  await dev.prints(/Could not tell who gains or loses access: /);
  await dev.prints(/^Applied in /m);
});
