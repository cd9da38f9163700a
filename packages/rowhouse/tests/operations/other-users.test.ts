import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newSeed } from "../../src/testing/random.ts";
import { ids, people, rows } from "./other-users/people.ts";
import { type Asked, requests } from "./other-users/requests.ts";
import { answerOf, readLedger, startWorld, type World } from "./other-users/world.ts";

// Two whole stacks: one has another user, with 3,000 tasks and 20 lists, and the other has not. Nobody who
// asks both the same may be able to tell them apart.

const wanted = Number(process.env.TEST_REQUESTS ?? 20_000);
const seed = newSeed();
/** Runs that go on at once: each has a user of its own. */
const lanes = 6;
const runsAtOnce = 20;

let populated: World;
let empty: World;
let worlds: readonly World[];
let ledger: string[];
const answers = new Map<string, number>();
let asked = 0;

beforeAll(async () => {
  [populated, empty] = await Promise.all([startWorld(rows.other), startWorld("")]);
  worlds = [populated, empty];
  ledger = await readLedger(populated);
});
afterAll(() => Promise.all(worlds.map(({ backend }) => backend.stop())));

/** A new user asks both worlds the same, one request after the other. */
async function compare(all: readonly Asked[]): Promise<void> {
  const names = new Map(worlds.map((world) => [world, new Map<string, string>()]));
  const session = { user: randomUUID(), names };
  for (const one of all) {
    const [there, elsewhere] = await Promise.all(
      worlds.map((world) => answerOf(world, session, one)),
    );
    expect(there, JSON.stringify(one)).toBe(elsewhere);
    count(one, String(there));
  }
}

function count({ method, headers }: Asked, answer: string): void {
  asked += 1;
  const planned = headers.prefer?.includes("count=planned") ? " planned" : "";
  const key = `${method}${planned} ${answer.slice(0, 3)}`;
  answers.set(key, (answers.get(key) ?? 0) + 1);
}

const property = fc.asyncProperty(requests, compare);

test(`nobody can tell whether there is another user, with TEST_SEED=${seed}`, async () => {
  let failed = false;
  const lane = async (number: number) => {
    for (let round = 0; asked < wanted && !failed; round += 1) {
      const options = { seed: seed + number + lanes * round, numRuns: runsAtOnce };
      await fc.assert(property, options).catch((error) => {
        failed = true;
        throw error;
      });
    }
  };
  // All of them end before this test does.
  const ended = await Promise.allSettled(Array.from({ length: lanes }, (_, at) => lane(at)));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  const tally = [...answers].map(([key, times]) => `${key}: ${times}`).sort();
  process.stdout.write(`Of each of two stacks ${asked} requests: ${tally.join(", ")}\n`);
  expect(asked).toBeGreaterThanOrEqual(wanted);
}, 600_000);

test("the requests read and wrote, and were refused for many reasons", () => {
  const seen = [...answers.keys()];
  for (const key of [
    "GET 200",
    "GET 206",
    "GET planned 400",
    "GET 401",
    "GET 404",
    "GET 406",
    "HEAD 200",
    "POST 201",
    "POST 403",
    "POST 409",
    "PUT 200",
    "PATCH 200",
    "PATCH 204",
    "PATCH 412",
    "DELETE 200",
  ]) {
    expect(seen).toContain(key);
  }
});

test("the other user's rows are to the byte what they were", async () => {
  expect(ledger).toHaveLength(1 + 3000 + 20 + 20);
  expect(await readLedger(populated)).toEqual(ledger);
  expect(await readLedger(empty)).toEqual([]);
});

const read = (query: Asked["query"], headers = {}): Asked => ({
  as: "self",
  method: "GET",
  path: "/tasks",
  query,
  headers,
});
const create = (resolution?: string): Asked => ({
  as: "self",
  method: "POST",
  path: "/tasks",
  query: [],
  headers: { prefer: ["return=representation", ...(resolution ? [resolution] : [])].join(", ") },
  body: JSON.stringify({ id: ids.other[0], title: "mine" }),
});

test("the id of another user's row is free: a create is no 409, nor an upsert a 403", async () => {
  await compare([create()]);
  await compare([create("resolution=merge-duplicates"), create()]);
  await compare([create("resolution=ignore-duplicates"), create("resolution=merge-duplicates")]);
});

test("no sequence numbers rows, which would tell how many others made", async () => {
  const sequences =
    "select from pg_class where relkind = 'S' and relnamespace = 'api'::regnamespace";
  expect(await populated.backend.sql(sequences)).toEqual([]);
});

test.each<[string, string, readonly Asked[]]>([
  [
    "planned counts are answered",
    "create or replace function request.plannable() returns boolean language sql immutable return true",
    [read([["user_id", `eq.${people.other}`]], { prefer: "count=planned" })],
  ],
  [
    "an id is taken for all users",
    `delete from api.tasks where user_id not in ('${people.other}', '${people.reader}');
     create unique index one_for_all on api.tasks (id)`,
    [create()],
  ],
  [
    "a policy lets others count",
    "alter policy select_own on api.tasks using (user_id = request.user_id() or request.plannable())",
    [read([["limit", "0"]], { prefer: "count=exact" })],
  ],
])("the comparison notices when %s", async (_, weakening, all) => {
  await Promise.all(worlds.map(({ backend }) => backend.sql(weakening)));
  await expect(compare(all)).rejects.toThrow();
  const found = await fc.check(property, { seed, numRuns: 200, endOnFailure: true });
  expect(found.failed).toBe(true);
});
