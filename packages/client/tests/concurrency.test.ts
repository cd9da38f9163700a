import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NotFoundError, StaleError } from "../../../client/index.ts";
import { failure, type Session, startSession } from "./session.ts";
import { type Backend, first, newId, startBackend } from "./support.ts";

let api: Backend;
let alice: Session;
beforeAll(async () => {
  api = await startBackend();
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
});

const writes = {
  update: (id: string, ifMatch: string) =>
    alice.db.tasks.update(id, { title: "mine" }, { ifMatch }),
  delete: (id: string, ifMatch: string) => alice.db.tasks.delete(id, { ifMatch }),
};

describe.each(["update", "delete"] as const)("A user's %s with ifMatch", (way) => {
  const write = writes[way];

  test("succeeds when the row has not changed", async () => {
    const row = await alice.db.tasks.create({ title: "t" });
    await write(row.id, row.updated_at);
    const left = (await alice.db.tasks.list()).items.map(({ title }) => title);
    expect(left).toEqual(way === "update" ? ["mine"] : []);
  });

  test("is a StaleError with the current row when it has changed, and changes nothing", async () => {
    const row = await alice.db.tasks.create({ title: "t" });
    const theirs = await alice.db.tasks.update(row.id, { title: "theirs" });
    const error = await failure(write(row.id, row.updated_at));
    expect(error).toBeInstanceOf(StaleError);
    expect(error).toMatchObject({ status: 412, details: "row_stale", current: theirs });
    expect(await alice.db.tasks.get(row.id)).toEqual(theirs);
  });

  test("is a StaleError without a row when the row was deleted", async () => {
    const row = await alice.db.tasks.create({ title: "t" });
    await alice.db.tasks.update(row.id, { title: "theirs" });
    const remove = () => api.sql("delete from api.tasks where id = $1", [row.id]);
    alice.proxy.next(
      first(() => {}),
      first(remove),
    );
    const error = await failure(write(row.id, row.updated_at));
    expect(error).toBeInstanceOf(StaleError);
    expect(error).toMatchObject({ current: undefined });
  });

  test("keeps the id of the write, so that the logs say why it was refused", async () => {
    const row = await alice.db.tasks.create({ title: "t" });
    await alice.db.tasks.update(row.id, { title: "theirs" });
    const { requestId } = await failure(write(row.id, row.updated_at));
    const [refused] = alice.proxy.requests.slice(-2);
    expect(requestId).toBe(refused?.headers["x-request-id"]);
  });

  test("of a row that is gone is a NotFoundError", async () => {
    const row = await alice.db.tasks.create({ title: "t" });
    await alice.db.tasks.delete(row.id);
    expect(await failure(write(row.id, row.updated_at))).toBeInstanceOf(NotFoundError);
    expect(await failure(write(newId(), row.updated_at))).toBeInstanceOf(NotFoundError);
  });

  test("that is no timestamp is an InvalidError", async () => {
    const { id } = await alice.db.tasks.create({ title: "t" });
    expect(await failure(write(id, "yesterday's"))).toMatchObject({
      name: "InvalidError",
      details: "if_match_invalid",
    });
  });

  test("succeeds for exactly one of ten at once", async () => {
    const row = await alice.db.tasks.create({ title: "t" });
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => write(row.id, row.updated_at)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") {
        expect(result.reason.name).toMatch(/^(StaleError|NotFoundError)$/);
      }
    }
  });
});

test("Of a user's two devices that read one row and change it, the second learns of the first", async () => {
  const { id } = await alice.db.tasks.create({ title: "t" });
  const [phone, laptop] = [alice.client(), alice.client()];
  const [here, there] = await Promise.all([phone.tasks.get(id), laptop.tasks.get(id)]);
  const first = await phone.tasks.update(id, { title: "phone" }, { ifMatch: here.updated_at });
  const second = laptop.tasks.update(id, { title: "laptop" }, { ifMatch: there.updated_at });
  const error = await failure(second);
  expect(error).toMatchObject({ current: first });
  const retried = laptop.tasks.update(id, { title: "laptop" }, { ifMatch: first.updated_at });
  expect(await retried).toMatchObject({ title: "laptop" });
});

test("A user's update without ifMatch succeeds, whatever has changed", async () => {
  const { id } = await alice.db.tasks.create({ title: "t" });
  const titles = ["one", "two", "three"];
  await Promise.all(titles.map((title) => alice.db.tasks.update(id, { title })));
  expect(titles).toContain((await alice.db.tasks.get(id)).title);
});
