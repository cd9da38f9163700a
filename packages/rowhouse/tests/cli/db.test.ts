import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import {
  cloneDatabase,
  emptyDatabase,
  migratedClone,
  testScratch,
} from "../../src/testing/database.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject, rowhouseCommand } from "../support/project.ts";

test("db check is silent about this project", async () => {
  expect(await rowhouse(["db", "check"], {})).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("db check reports a role whose file was edited, and db migration writes the change", async () => {
  const project = copyProject();
  const file = join(project, "sql/roles/anonymous.sql");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("5s", "4s"));

  // Roles belong to a server: this needs two of its own.
  expect(await rowhouse(["db", "check"], { SCRATCH_URL: "" }, project)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      "role anonymous\n    - nologin noinherit set statement_timeout=5s\n    + nologin noinherit set statement_timeout=4s",
    ),
  });
  const home = join(project, "home");
  const written = await rowhouse(
    ["db", "migration", "Anonymous timeout"],
    { ROWHOUSE_HOME: home, SCRATCH_URL: "" },
    project,
  );
  expect(written).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^wrote db\/migrations\/\d{14}_anonymous_timeout\.sql\n$/),
    stderr: expect.stringContaining("Proven: up arrives"),
  });
  expect(readdirSync(project)).not.toContain("home");
});

test("db migration writes nothing that drops data, unless just that is allowed", async () => {
  const project = copyProject();
  const file = join(project, "policies/users.sql");
  writeFileSync(
    file,
    `${readFileSync(file, "utf8")}\ngrant select (id) on api.users to anonymous;\n`,
  );
  const before = readdirSync(join(project, "db/migrations"));
  const migration = (...flags: string[]) =>
    rowhouse(
      ["db", "migration", "open", ...flags],
      { ROWHOUSE_HOME: join(project, "home") },
      project,
    );

  expect(await migration("--allow-drop", "api.users.id")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(
      /\[step_refused\].*It grants select on table column api\.users\.id to anonymous\.\n--allow-drop api\.users\.id names nothing that this migration needs\..*--allow-anonymous api\.users\.id/s,
    ),
  });
  expect(readdirSync(join(project, "db/migrations"))).toEqual(before);
  expect((await migration("--allow-anonymous", "api.users.id")).code).toBe(0);
  expect(readdirSync(join(project, "db/migrations"))).toHaveLength(before.length + 1);
  expect((await migration("--allow-drop", "api.userz")).stderr).toBe(
    "--allow-drop api.userz names nothing that this migration needs.\nNothing to do: db/migrations builds what sql/ and policies/ declare.\n",
  );
}, 120_000);

test("db migration --rename gives a table another name, and its rows stay", async () => {
  const project = copyProject();
  for (const file of ["sql/api/tasks.sql", "policies/tasks.sql"]) {
    const path = join(project, file);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("api.tasks", "api.jobs"));
  }
  const write = (...args: string[]) =>
    rowhouse(["db", "migration", "jobs", ...args], { ROWHOUSE_HOME: newHome() }, project);
  const refused = await write();
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(
    "It drops the table api.tasks with all its data. If api.jobs is its new name, `rowhouse db migration <name> --rename api.tasks=jobs` keeps it.",
  );
  const written = await write("--rename", "api.tasks=jobs");
  expect(written).toMatchObject({ code: 0, stderr: expect.stringMatching(/22 rows in 10 tables/) });
  const [file = ""] = readdirSync(join(project, "db/migrations")).filter((name) =>
    name.endsWith("_jobs.sql"),
  );
  const [up, down] = readFileSync(join(project, "db/migrations", file), "utf8").split(
    "-- migrate:down",
  );
  expect(up).toContain("alter table api.tasks\n  rename to jobs;");
  expect(down).toContain("alter table api.jobs\n  rename to tasks;");
  expect(up).not.toMatch(/drop table|create table/);
  const wrong = await write("--rename", "api.nope=jobs");
  expect(wrong.stderr).toMatch(/Cannot rename .*"api\.nope" does not exist/);
}, 120_000);

test("db check and db diff tell how a database stands, and only read it", async () => {
  const url = await migratedClone();
  const name = new URL(url).pathname.slice(1);
  await withClient(url, async (client) => {
    // Another role's on the same server: ignored.
    await client.query(`create role other_${name} login`);
    await client.query(`grant pg_monitor to other_${name}`);
    await client.query("alter policy select_own on api.tasks using (true)");
    await client.query("delete from public.schema_migrations where version like '%072233'");
    await client.query(`alter database ${name} set default_transaction_read_only = on`);
  });
  const check = await rowhouse(["db", "check", "--against", url], {});
  expect(check.code).toBe(1);
  expect(check.stdout).toMatch(
    /^The database is behind\. Not applied yet:\n {2}\d+_any_provider\.sql\n/,
  );
  expect(check.stdout).toContain("No migration created this: it was created by hand.");
  expect(await rowhouse(["db", "diff", "--against", url], {})).toEqual({
    code: 0,
    stdout:
      "alter policy select_own on api.tasks\nto authenticated\nusing (user_id = request.user_id());\n",
    stderr: "",
  });
  await withClient(inject("serverUrl"), (client) => client.query(`drop role other_${name}`));
});

test("db diff prints no more for a database that another role owns", async () => {
  const theirs = new URL(await emptyDatabase());
  const name = `An "owner" ${theirs.pathname.slice(-8)}`;
  const role = `"${name.replaceAll('"', '""')}"`;
  const server = inject("serverUrl");
  await withClient(server, (client) =>
    client.query(`create role ${role} superuser login password 'x'`),
  );
  theirs.username = encodeURIComponent(name);
  theirs.password = "x";
  await migrate(theirs.href);
  await withClient(theirs.href, (client) =>
    client.query("alter policy select_own on api.tasks using (true)"),
  );
  expect(await rowhouse(["db", "diff", "--against", theirs.href], {})).toEqual({
    code: 0,
    stdout:
      "alter policy select_own on api.tasks\nto authenticated\nusing (user_id = request.user_id());\n",
    stderr: "",
  });
  await testScratch().drop(theirs.href);
  await withClient(server, (client) => client.query(`drop role ${role}`));
});

test.each([
  [["db", "migration", "drop it!"], /'drop it!' is invalid.*Use letters, digits and underscores/],
  [["db", "check", "--against", "mysql://x/y"], /Give a URL like postgres:/],
  [["db", "diff", "--against", "postgres://nobody@127.0.0.1:1/x"], /\[database_unreachable\]/],
] as const)("rowhouse %j is refused with the reason", async (args, message) => {
  const { code, stdout, stderr } = await rowhouse(args, {});
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
});

test("a role without the rights gets an error about that, and not a bug report", async () => {
  const url = new URL(await cloneDatabase());
  const role = `stranger_${url.pathname.slice(-8)}`;
  await withClient(url.href, (client) => client.query(`create role ${role} login password 'x'`));
  const strangers = new URL(url);
  strangers.username = role;
  strangers.password = "x";
  const { code, stderr } = await rowhouse(["db", "check", "--against", strangers.href], {});
  await withClient(url.href, (client) => client.query(`drop role ${role}`));
  expect(code).toBe(1);
  expect(stderr).toMatch(/\[database_refused\].*permission denied for table schema_migrations/);
});

test("a command that is killed leaves no throwaway server, and nothing of its data", async () => {
  const temporary = mkdtempSync(join(tmpdir(), "rowhouse-killed-"));
  const env = { ...process.env, TMPDIR: temporary, SCRATCH_URL: "" };
  const child = spawn(process.execPath, [rowhouseCommand, "db", "check"], { env });
  const files = () => readdirSync(temporary, { recursive: true }).join();
  await expect.poll(files, { timeout: 20_000 }).toContain("postmaster.pid");
  child.kill("SIGKILL");
  await expect.poll(files, { timeout: 20_000 }).toBe("");
  rmSync(temporary, { recursive: true });
});

test("Ctrl-C ends a command in the middle of a proof, and leaves nothing", async () => {
  const project = copyProject();
  const file = join(project, "policies/tasks.sql");
  writeFileSync(file, readFileSync(file, "utf8").replace("Whether it is done.", "Is it done?"));
  const temporary = mkdtempSync(join(tmpdir(), "rowhouse-interrupted-"));
  const env = { ...process.env, TMPDIR: temporary, SCRATCH_URL: "" };
  const child = spawn(process.execPath, [rowhouseCommand, "db", "diff"], { env, cwd: project });
  const left = () => readdirSync(temporary).filter((name) => name.startsWith("rowhouse-"));
  await expect.poll(() => left().join(), { timeout: 20_000 }).toContain("rowhouse-migrations-");
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  expect(code).toBe(130);
  expect(left()).toEqual([]);
  rmSync(temporary, { recursive: true });
});
