import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { applyToDev } from "../../src/dev/apply.ts";
import { type Change, syncDev } from "../../src/dev/sync.ts";
import { readCatalog } from "../../src/schema/catalog/catalog.ts";
import { readSnapshot } from "../../src/schema/plan/snapshot.ts";
import { withClient } from "../../src/stack/database.ts";
import { loopback } from "../../src/stack/ports.ts";
import { migratedClone, testScratch } from "../../src/testing/database.ts";
import { copyProject, editFile } from "../support/project.ts";

/** A dev database, and the files that it follows. */
async function startFollowing() {
  const [url, root] = [await migratedClone(), copyProject()];
  const announced: Change[] = [];
  const beforeApplying = async (change: Change) => void announced.push(change);
  return {
    url,
    announced,
    edit: (file: string, from: string, to: string) => editFile(root, file, from, to),
    sync: (allowDrop = false) =>
      syncDev({ scratch: testScratch(), url, root, allowDrop, beforeApplying }),
  };
}

async function listPolicies(url: string) {
  const entries = await readCatalog(url);
  return entries.filter(({ kind, name }) => kind === "policy" && name.endsWith("on api.tasks"));
}

const completed: [file: string, from: string, to: string] = [
  "policies/tasks.sql",
  "for delete to authenticated\nusing (user_id = request.user_id())",
  "for delete to authenticated\nusing (user_id = request.user_id() and completed)",
];

test("a save reaches the dev database, is announced before, and keeps the rows", async () => {
  const { url, announced, edit, sync } = await startFollowing();
  await withClient(url, (client) =>
    client.query("insert into api.users (id) values ('a11ce000-0000-4000-8000-000000000000')"),
  );
  expect(await sync()).toBe(false);
  edit(...completed);
  expect(await sync()).toBe(true);
  expect(await listPolicies(url)).toContainEqual(
    expect.objectContaining({
      kind: "policy",
      name: "delete_own on api.tasks",
      definition:
        "permissive for delete to authenticated using (((user_id = request.user_id()) AND completed))",
    }),
  );
  expect(announced).toMatchObject([
    { difference: { missing: [{ name: "delete_own on api.tasks" }] } },
  ]);
  expect(await sync()).toBe(false);
  const { rowCount } = await withClient(url, (client) => client.query("select from api.users"));
  expect(rowCount).toBe(1);
});

test("PostgREST is notified to reload the schema and the settings of roles", async () => {
  const { url, edit, sync } = await startFollowing();
  const heard = await withClient(url, async (client) => {
    const payloads: unknown[] = [];
    client.on("notification", ({ payload }) => payloads.push(payload));
    await client.query("listen pgrst");
    edit(...completed);
    await sync();
    await client.query("select");
    return payloads;
  });
  expect(heard).toEqual(["reload schema", "reload config"]);
});

test("a save that cannot be built changes nothing", async () => {
  const { url, edit, sync } = await startFollowing();
  const before = await readCatalog(url);
  edit("policies/tasks.sql", "using (user_id =", "using (user_id ==");
  await expect(sync()).rejects.toMatchObject({ code: "declaration_failed" });
  expect(await readCatalog(url)).toEqual(before);
});

test("a save that drops data is refused, unless that was allowed", async () => {
  const { url, edit, sync } = await startFollowing();
  edit("sql/api/users.sql", "  name text,\n", "");
  edit(
    "sql/api/users.sql",
    "  constraint users_name_length check (char_length(name) between 1 and 200),\n",
    "",
  );
  edit(
    "sql/api/users.sql",
    "),\n  constraint users_name_not_blank check (not request.is_blank(name))\n",
    ")\n",
  );
  edit(
    "policies/users.sql",
    "comment on column api.users.name is\n  'The display name: 1 to 200 characters, not all blank.';\n",
    "",
  );
  edit("policies/users.sql", "select (id, email, name,", "select (id, email,");
  edit("policies/users.sql", "insert (id, email, name),\n  update (name)", "insert (id, email)");
  edit("policies/users.sql", "insert (id, email, name),\n  update (email)", "update (email)");
  const before = await readCatalog(url);
  await expect(sync()).rejects.toMatchObject({
    code: "step_refused",
    message: expect.stringContaining("drops the column api.users.name"),
  });
  expect(await readCatalog(url)).toEqual(before);
  expect(await sync(true)).toBe(true);
});

test("a change that cannot be applied is rolled back, and reported", async () => {
  const { url, edit, sync } = await startFollowing();
  const before = await readCatalog(url);
  edit("sql/database/privileges.sql", "revoke temporary", "revoke create");
  edit(...completed);
  await expect(sync()).rejects.toMatchObject({ code: "plan_unproven" });
  expect(await readCatalog(url)).toEqual(before);
});

test("a plan with the wrong result is rolled back before the next one", async () => {
  const { url } = await startFollowing();
  const declared = await readCatalog(url);
  await applyToDev(url, [["create table private.too_much ()"], []], declared);
  expect(await readCatalog(url)).toEqual(declared);
});

test("a save that waits for another session's lock does not suggest to delete the home", async () => {
  const { url } = await startFollowing();
  await withClient(url, async (client) => {
    await client.query("begin; lock table api.tasks in share mode");
    const comment = "alter policy select_own on api.tasks using (true)";
    await expect(applyToDev(url, [[comment], [comment]], [], "10ms")).rejects.toMatchObject({
      code: "plan_unproven",
      message:
        "The dev database is busy: another session held a lock that this change needs for 10ms.",
      remedy: expect.stringContaining("save again"),
    });
  });
});

/** The same database behind a proxy, which breaks every connection that says some word. */
async function breakingOn(word: string, url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const proxy = createServer((incoming) => {
    const outgoing = connect(Number(port), hostname);
    for (const socket of [incoming, outgoing]) socket.on("error", () => {});
    incoming.on("data", (chunk) => {
      if (chunk.includes(word)) incoming.destroy();
      else outgoing.write(chunk);
    });
    incoming.on("close", () => outgoing.destroy());
    outgoing.pipe(incoming);
  }).listen(0, loopback);
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");
  const behind = new URL(url);
  behind.host = `${loopback}:${(proxy.address() as AddressInfo).port}`;
  return behind.href;
}

test("a connection that breaks while a save is planned ends that plan, and no more", async () => {
  // What only the planner asks for.
  const url = await breakingOn("pg_event_trigger", await migratedClone());
  await expect(readSnapshot(url)).rejects.toThrow(/Connection terminated/);
});
