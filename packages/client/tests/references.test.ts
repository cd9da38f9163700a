import { expect, test } from "vitest";
import { generateApp } from "./generated-app.ts";

test("References: nullable, two to one table, and both ways", async () => {
  const { errors, run } = await generateApp(
    `
      create table api.people (id uuid primary key default request.uuid_v7(), name text not null);
      create table api.jobs (
        id uuid primary key default request.uuid_v7(),
        maker_id uuid not null references api.people,
        doer_id uuid constraint "jobs, doer" references api.people,
        parent_id uuid references api.jobs,
        team_id bigint
      );
      create table api.teams (id bigint primary key, first_job uuid references api.jobs);
      alter table api.jobs add foreign key (team_id) references api.teams;
      grant all on api.people, api.jobs, api.teams to authenticated;
    `,
    `
      const ann = await db.people.create({ name: "Ann" });
      const team = await db.teams.create({ id: "9007199254740993" });
      const job = await db.jobs.create({ maker_id: ann.id, team_id: team.id });
      // @ts-expect-error which of two?
      const which = await db.jobs.list({ with: ["people"] }).catch((error: Error) => error.message);
      // @ts-expect-error not in itself
      const self = await db.jobs.list({ with: ["jobs"] }).catch((error: Error) => error.message);
      const { items } = await db.jobs.list({
        with: { maker: "jobs_maker_id_fkey", doer: "jobs, doer", team: "jobs_team_id_fkey" },
      });
      const [first] = items;
      // @ts-expect-error it may be null
      void (() => first?.doer.name);
      const back = await db.teams.list({ with: ["jobs"] });
      const got = await db.jobs.get(job, { with: ["teams"] });
      return [first?.maker?.name, first?.doer, first?.team?.id, got.teams?.id, back.items[0]?.jobs, which, self];
    `,
  );
  expect(errors).toBe("");
  const [maker, doer, team, again, back, which, self] = (await run()) as unknown[];
  expect([maker, doer, back]).toEqual(["Ann", null, null]);
  expect([team, again]).toEqual(["9007199254740993", "9007199254740993"]);
  expect(which).toMatch(/"people" names no one foreign key .* jobs_maker_id_fkey \(to people\)/);
  expect(self).toMatch(/"jobs" names no one foreign key/);
});

test("A function with several signatures returns what the one that is called returns", async () => {
  const { errors, run } = await generateApp(
    `
      create function api.area(side int) returns int language sql as 'select side * side';
      create function api.area(width numeric, height numeric) returns text
        language sql as $$ select (width * height) || ' m2' $$;
      create function api.rows(n int, named boolean default true) returns setof api.users
        language sql as 'select * from api.users limit n';
      grant execute on all functions in schema api to authenticated;
    `,
    `
      const square: number = await db.rpc("area", { side: 3 });
      const rectangle: string = await db.rpc("area", { width: 2, height: "1.5" });
      // @ts-expect-error no such signature
      void (() => db.rpc("area", { side: 3, height: 1 }));
      // @ts-expect-error a number, and no text
      void (async () => { const wrong: string = await db.rpc("area", { side: 3 }); return wrong; });
      await db.me();
      const rows = await db.rpc("rows", { n: 1 });
      return [square, rectangle, rows.length];
    `,
  );
  expect(errors).toBe("");
  expect(await run()).toEqual([9, "3.0 m2", 1]);
});
