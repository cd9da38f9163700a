import type pg from "pg";
import { expect, test } from "vitest";
import { backUp, inHome, listFaults, readManifest, runDrill } from "../support/backup.ts";
import { startStack } from "../support/cli.ts";
import { alice, people } from "../support/people.ts";

/** Writes in many small transactions, some of more than one table, until stopped. */
async function write(client: pg.Client, writer: number, state: { stopped: boolean; rows: number }) {
  while (!state.stopped) {
    await client.query("begin");
    await client.query("insert into api.users (email) values ($1)", [`w${writer}@example.com`]);
    await client.query("insert into api.tasks (user_id, title) values ($1, $2)", [
      alice,
      `row ${state.rows}`,
    ]);
    if (state.rows % 7 === 0) {
      await client.query(
        "delete from api.tasks where user_id = $1 and id = (select id from api.tasks where user_id = $1 limit 1)",
        [alice],
      );
    }
    await client.query("commit");
    state.rows += 1;
  }
}

test("a backup that was taken under write load is proven to the row", async () => {
  const { home } = await startStack();
  await inHome(home, (client) => client.query(people));
  const state = { stopped: false, rows: 0 };
  const writers = Array.from({ length: 4 }, (_, writer) =>
    inHome(home, (client) => write(client, writer, state)),
  );
  await expect.poll(() => state.rows).toBeGreaterThan(100);
  const before = state.rows;
  for (let backups = 0; backups < 2; backups += 1) {
    const backup = await backUp(home);
    const users = readManifest(backup).tables.find(({ name }) => name === "api.users");
    expect(Number(users?.rows)).toBeGreaterThan(before);
    const drill = await runDrill(home);
    expect(listFaults(drill)).toEqual([]);
    expect(drill.code).toBe(0);
  }
  state.stopped = true;
  await Promise.all(writers);
});
