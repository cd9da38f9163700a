import { expect, test } from "vitest";
import { generateApp } from "./generated-app.ts";

const notes = `
  create table api.notes (
    author uuid not null default request.user_id() references api.users,
    id uuid not null,
    body text,
    primary key (author, id)
  );
  alter table api.notes enable row level security;
  create policy own on api.notes to authenticated
    using (author = request.user_id()) with check (author = request.user_id());
  grant select, insert, update, delete on api.notes to authenticated;
`;

test("a table whose owner column is not user_id has a collection that goes by that column", async () => {
  const { errors, run } = await generateApp(
    notes,
    `
      const me = await db.me();
      const [one, two] = await db.notes.createMany([{ body: "one" }, { body: null }]);
      if (one === undefined || two === undefined) throw new Error("Both should be there.");
      // @ts-expect-error the owner is the caller
      void (() => db.notes.create({ body: "three", author: me.id }));
      // @ts-expect-error a row stays its owner's
      void (() => db.notes.update(one.id, { author: me.id }));
      // @ts-expect-error no such column
      void (() => db.notes.list({ where: { user_id: me.id } }));
      const page = await db.notes.list({ limit: 1, with: ["users"] });
      const next = await db.notes.list({ limit: 1, after: page.next });
      await db.notes.update(one.id, { body: "changed" });
      await db.notes.delete(two.id);
      const left = await db.notes.get(one.id);
      return {
        owned: left.author === me.id && page.items[0]?.users?.id === me.id,
        pages: [page, next].map(({ items }) => items.map(({ id }) => id).join()).toSorted(),
        ids: [one.id, two.id].toSorted(),
        left: [left.body, await db.notes.count()],
      };
    `,
  );
  expect(errors).toBe("");
  const { pages, ids, ...others } = (await run()) as Record<string, unknown>;
  expect(pages).toEqual(ids);
  expect(others).toEqual({ owned: true, left: ["changed", 1] });
});
