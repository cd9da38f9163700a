import { expect, test } from "vitest";
import { generateApp } from "./generated-app.ts";

test("a client of a database with users, and nothing that they own, calls me", async () => {
  const { errors, run } = await generateApp(
    "drop table api.tasks",
    `
      // @ts-expect-error no owned table
      if (db.tasks !== undefined) throw new Error("There should be no collection.");
      const me = await db.me();
      const { data } = await db.rest.from("users").select("id").eq("id", me.id).throwOnError();
      return [data.length, (await db.users.get(me.id)).id === me.id];
    `,
  );
  expect(errors).toBe("");
  expect(await run()).toEqual([1, true]);
});

test("a client of a database without users has no me, and reads what there is", async () => {
  const { errors, run } = await generateApp(
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
      const { data } = await db.rest.from("notes").select("body").single().throwOnError();
      const pong: string = await db.rpc("ping", { name: "Alice" });
      const { items } = await db.notes.list();
      return [data.body, pong, items];
    `,
  );
  expect(errors).toBe("");
  expect(await run()).toEqual(["Hello", "pong Alice", [{ id: "1", body: "Hello" }]]);
});

test("a client of a database without tables compiles, and refuses every collection", async () => {
  const { errors, run } = await generateApp(
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
