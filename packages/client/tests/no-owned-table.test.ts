import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compile, writeFiles } from "./compile.ts";
import {
  claimsFor,
  migratedClone,
  newHome,
  newId,
  rowhouse,
  sign,
  startApi,
  withClient,
} from "./support.ts";

const token = sign(claimsFor(newId()));

/** An app that uses what every database has; `use` is its own part. */
function buildApp(use: string): string {
  return `
    import { createClient } from "@rowhouse/client";
    import { type Database, tables } from "./database.types.ts";

    export async function run(url: string, token: string): Promise<unknown> {
      const db = createClient<Database, typeof tables>({ url, token, retry: false }, tables);
      // @ts-expect-error no owned table
      if (db.tasks !== undefined) throw new Error("There should be no collection.");
      ${use}
    }
  `;
}

/** Changes a database, writes its types beside an app, compiles both, and runs the app. */
async function runApp(sql: string, use: string): Promise<{ errors: string; run: () => unknown }> {
  const databaseUrl = await migratedClone();
  await withClient(databaseUrl, (client) => client.query(sql));
  const dir = writeFiles({ "app.ts": buildApp(use) });
  const types = join(dir, "database.types.ts");
  const env = { DATABASE_URL: databaseUrl, ROWHOUSE_HOME: newHome() };
  expect(await rowhouse(["types", "--output", types], env)).toMatchObject({ code: 0 });
  expect(readFileSync(types, "utf8")).not.toContain('owner: "');
  const api = await startApi(databaseUrl);
  onTestFinished(() => api.stop());
  const app = await import(join(dir, "app.ts"));
  return { errors: compile(dir), run: () => app.run(api.url, token) };
}

test("a client of a database with users, and nothing that they own, calls me", async () => {
  const { errors, run } = await runApp(
    "drop table api.tasks",
    `
      const me = await db.me();
      // @ts-expect-error users are not owned
      if (db.users !== undefined) throw new Error("There should be no collection.");
      const { data } = await db.rest.from("users").select("id").eq("id", me.id).throwOnError();
      return data.length;
    `,
  );
  expect(errors).toBe("");
  expect(await run()).toBe(1);
});

test("a client of a database without users has no me, and reads what there is", async () => {
  const { errors, run } = await runApp(
    `
      drop table api.tasks;
      drop function api.me();
      drop table api.users;
      create table api.notes (id bigint primary key, body text);
      create function api.ping(name text) returns text language sql as $$ select 'pong ' || name $$;
      insert into api.notes values (1, 'Hello');
      grant select on api.notes to authenticated;
      grant execute on function api.ping(text) to authenticated;
    `,
    `
      // @ts-expect-error no function me
      void db.me;
      // @ts-expect-error notes are not owned
      if (db.notes !== undefined) throw new Error("There should be no collection.");
      const { data } = await db.rest.from("notes").select("body").single().throwOnError();
      const pong: string = await db.rpc("ping", { name: "Alice" });
      return [data.body, pong];
    `,
  );
  expect(errors).toBe("");
  expect(await run()).toEqual(["Hello", "pong Alice"]);
});

test("a client of a database without tables compiles, and refuses every collection", async () => {
  const { errors, run } = await runApp(
    "drop table api.tasks; drop function api.me(); drop table api.users",
    `
      // @ts-expect-error no table
      db.table("tasks");
      return db;
    `,
  );
  expect(errors).toBe("");
  await expect(run()).rejects.toMatchObject({ name: "InvalidError", code: "unknown_table" });
});
