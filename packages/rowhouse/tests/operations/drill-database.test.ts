import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backUp, inHome, listFaults, runDrill } from "../support/backup.ts";
import { readyHome } from "../support/cli.ts";
import { ownedTable } from "../support/owned-table.ts";
import { people } from "../support/people.ts";

// What was wrong with the database already when it was backed up.

test("a row that PostgreSQL would take for garbage some day fails the drill", async () => {
  const home = readyHome();
  await inHome(home, async (client) => {
    await client.query(people);
    await client.query(
      "update pg_class set relfrozenxid = pg_current_xact_id()::xid where oid = 'api.tasks'::regclass",
    );
  });
  await backUp(home);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(/^indexes: api\.tasks: xmin .* precedes relation/);
});

test("an index that lacks a row fails the drill, though all rows are there", async () => {
  const home = readyHome();
  await inHome(home, async (client) => {
    await client.query(people);
    await client.query(`
      create function private.key(title text) returns text language sql immutable as 'select $1';
      create index lying on api.tasks (private.key(title));
      create or replace function private.key(title text) returns text language sql immutable as 'select $1 || $1';
    `);
  });
  await backUp(home);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(
    /^indexes: api\.lying: heap tuple .* lacks matching index tuple/,
  );
});

test("a database whose users reach each other's rows fails the drill", async () => {
  const home = readyHome();
  await inHome(home, (client) =>
    client.query("create policy open on api.tasks for select to authenticated using (true)"),
  );
  await backUp(home);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toContain(
    "access: tasks: another user reads the row by id: answered 200 with 1 row, not 200 with 0 rows",
  );
});

test("a database with other tables than tasks is proven, and what was not tried is reported", async () => {
  const home = readyHome();
  await inHome(home, (client) =>
    client.query(`
      drop table api.tasks;
      ${ownedTable("notes")}
      ${ownedTable("riddles", { columns: "body text not null check (body ~ '^[0-9]{3}x$')" })}
    `),
  );
  await backUp(home);
  const drill = await runDrill(home);
  expect(listFaults(drill)).toEqual([]);
  expect(drill.report.checks.find(({ name }) => name === "access")?.of).toMatch(
    /^\d+ requests of two users and an anonymous caller to 2 tables; not tried: riddles, no made-up row meets its constraints: /,
  );
});

test("a database without an owned table is proven, and that no table was tried is reported", async () => {
  const home = readyHome();
  await inHome(home, (client) => client.query("drop table api.tasks"));
  await backUp(home);
  const drill = await runDrill(home);
  expect(listFaults(drill)).toEqual([]);
  expect(drill.report.checks.find(({ name }) => name === "access")).toEqual({
    name: "access",
    notTried: true,
    of: "two users: the database has no owned table: none has a key of an owner's column and id",
    faults: [],
  });
});

test("a drill archives nothing, even where the database's own settings say so", async () => {
  const home = readyHome();
  const marker = join(home, "archived");
  await inHome(home, async (client) => {
    await client.query("alter system set archive_mode = on");
    await client.query(`alter system set archive_command = 'touch ${marker}'`);
  });
  await backUp(home);
  const drill = await runDrill(home);
  expect(listFaults(drill)).toEqual([]);
  expect(existsSync(marker)).toBe(false);
});
