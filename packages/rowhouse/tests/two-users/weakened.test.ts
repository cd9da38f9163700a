import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Backend, startBackend } from "../../src/testing/backend.ts";
import { twoUserAttempts } from "../../src/testing/two-user-attempts.ts";
import { matrix } from "../../src/testing/two-users/matrix.ts";
import type { TwoUserAttempts } from "../../src/testing/two-users/run.ts";
import { ownedTable } from "../support/owned-table.ts";

// Each defence of a table is taken away by itself: the attempts that it is there for must fail, and
// no others.
const nearlyOpen = `
  grant usage on schema api, request to anonymous;
  grant execute on all functions in schema request to anonymous;
`;
let backend: Backend;
let two: TwoUserAttempts;
beforeAll(async () => {
  backend = await startBackend({}, `${ownedTable("notes")} ${nearlyOpen} drop table api.tasks`);
  two = await twoUserAttempts(backend);
});
afterAll(() => backend.stop());
beforeEach(() => backend.sql("truncate api.notes"));

const own = "user_id = request.user_id()";
const openToAll = (verb: string) => `alter policy ${verb}_own on api.notes`;
const policyForAnonymous = "create policy anyone on api.notes to anonymous using (true)";

interface Weakening {
  readonly take: string;
  readonly giveBack: string;
  readonly fails: readonly string[];
}

const weakenings: Record<string, Weakening> = {
  "the policy for reading": {
    take: `${openToAll("select")} using (true)`,
    giveBack: `${openToAll("select")} using (${own})`,
    fails: [
      "the owner lists their own rows alone",
      "another user reads the row by id",
      "another user lists their own rows alone",
      "another user reads the owner's rows",
    ],
  },
  "the policy for creating": {
    take: `${openToAll("insert")} with check (true)`,
    giveBack: `${openToAll("insert")} with check (${own})`,
    fails: ["another user creates a row for the owner"],
  },
  "which rows may be changed": {
    take: `${openToAll("update")} using (true)`,
    giveBack: `${openToAll("update")} using (${own})`,
    fails: ["another user changes all rows that they reach"],
  },
  "what rows may be changed into": {
    take: `${openToAll("update")} with check (true)`,
    giveBack: `${openToAll("update")} with check (${own})`,
    fails: ["another user gives a row of their own to the owner"],
  },
  "the policy for changing": {
    take: `${openToAll("update")} using (true) with check (true)`,
    giveBack: `${openToAll("update")} using (${own}) with check (${own})`,
    fails: [
      "another user changes all rows that they reach",
      "another user gives a row of their own to the owner",
    ],
  },
  "the policy for deleting": {
    take: `${openToAll("delete")} using (true)`,
    giveBack: `${openToAll("delete")} using (${own})`,
    fails: ["another user deletes all rows that they reach"],
  },
  "the policies for reading and changing": {
    take: `${openToAll("select")} using (true); ${openToAll("update")} using (true) with check (true)`,
    giveBack: `${openToAll("select")} using (${own}); ${openToAll("update")} using (${own}) with check (${own})`,
    fails: [
      "the owner lists their own rows alone",
      "another user reads the row by id",
      "another user lists their own rows alone",
      "another user reads the owner's rows",
      "another user changes the row by id",
      "another user changes all rows that they reach",
      "another user gives a row of their own to the owner",
    ],
  },
  "the policies for reading and deleting": {
    take: `${openToAll("select")} using (true); ${openToAll("delete")} using (true)`,
    giveBack: `${openToAll("select")} using (${own}); ${openToAll("delete")} using (${own})`,
    fails: [
      "the owner lists their own rows alone",
      "another user reads the row by id",
      "another user lists their own rows alone",
      "another user reads the owner's rows",
      "another user deletes the row by id",
      "another user deletes all rows that they reach",
    ],
  },
  "row-level security": {
    take: "alter table api.notes disable row level security",
    giveBack: "alter table api.notes enable row level security",
    fails: [
      "the owner lists their own rows alone",
      ...matrix
        .map(({ what }) => what)
        .filter((what) => what.startsWith("another user") && !what.includes("with the row's id")),
    ],
  },
  "that an id may be taken by each user": {
    take: "alter table api.notes add constraint taken unique (id)",
    giveBack: "alter table api.notes drop constraint taken",
    fails: ["another user creates a row of their own with the row's id"],
  },
  "that anonymous may not read": {
    take: `grant select on api.notes to anonymous; ${policyForAnonymous}`,
    giveBack: "revoke select on api.notes from anonymous; drop policy anyone on api.notes",
    fails: ["an anonymous caller lists rows", "an anonymous caller reads the row by id"],
  },
  "that anonymous may not create": {
    take: `grant insert on api.notes to anonymous; ${policyForAnonymous}`,
    giveBack: "revoke insert on api.notes from anonymous; drop policy anyone on api.notes",
    fails: ["an anonymous caller creates a row"],
  },
  "that anonymous may not change": {
    take: `grant update on api.notes to anonymous; ${policyForAnonymous}`,
    giveBack: "revoke update on api.notes from anonymous; drop policy anyone on api.notes",
    fails: ["an anonymous caller changes all rows"],
  },
  "that anonymous may not delete": {
    take: `grant delete on api.notes to anonymous; ${policyForAnonymous}`,
    giveBack: "revoke delete on api.notes from anonymous; drop policy anyone on api.notes",
    fails: ["an anonymous caller deletes all rows"],
  },
  "what lets owners create": {
    take: `${openToAll("insert")} with check (false)`,
    giveBack: `${openToAll("insert")} with check (${own})`,
    fails: ["the owner creates a row", "another user creates a row of their own with the row's id"],
  },
  "what lets owners read": {
    take: `${openToAll("select")} using (false)`,
    giveBack: `${openToAll("select")} using (${own})`,
    fails: [
      "the owner creates a row",
      "the owner reads the row by id",
      "the owner lists their own rows alone",
      "the owner changes the row",
      "the owner deletes the row",
      "another user lists their own rows alone",
    ],
  },
  "what lets owners change": {
    take: `${openToAll("update")} with check (false)`,
    giveBack: `${openToAll("update")} with check (${own})`,
    fails: ["the owner changes the row", "another user changes all rows that they reach"],
  },
  "what lets owners delete": {
    take: `${openToAll("delete")} using (false)`,
    giveBack: `${openToAll("delete")} using (${own})`,
    fails: ["the owner deletes the row"],
  },
};

async function failing(): Promise<string[]> {
  const failed: string[] = [];
  for (const attempt of two.attempts.filter(({ table }) => table === "notes")) {
    const faults = await two.run(attempt);
    if (faults.length > 0) failed.push(attempt.name.replace("notes: ", ""));
  }
  return failed;
}

test.each(Object.entries(weakenings))(
  "without %s, the attempts that it is there for fail and no others",
  async (_, { take, giveBack, fails }) => {
    await backend.sql(take);
    try {
      expect(await failing()).toEqual(fails);
    } finally {
      await backend.sql(giveBack);
    }
  },
);

test("with every defence in its place no attempt fails", async () => {
  expect(await failing()).toEqual([]);
});

test("an attempt on rows that their owner cannot read is no proof, and fails", async () => {
  const deletion = two.attempts.find(
    ({ name }) => name === "notes: an anonymous caller deletes all rows",
  );
  if (deletion === undefined) throw new Error("There is no such attempt.");
  await backend.sql(`${openToAll("select")} using (1 / 0 = 1)`);
  try {
    expect(await two.run(deletion)).toEqual([
      `${deletion.name}: the owner's rows cannot be read: 400 (22012)`,
    ]);
  } finally {
    await backend.sql(`${openToAll("select")} using (${own})`);
  }
});

test("every attempt was seen to fail", () => {
  const seen = new Set(Object.values(weakenings).flatMap(({ fails }) => fails));
  expect(matrix.map(({ what }) => what).filter((what) => !seen.has(what))).toEqual([]);
});

test("a grant that the plan did not see fails the attempts that it was to refuse", async () => {
  const faults: string[] = [];
  await backend.sql("grant delete on api.users to authenticated");
  await backend.sql("create policy careless on api.users for delete to authenticated using (true)");
  for (const attempt of two.attempts.filter(({ table }) => table === "users")) {
    faults.push(...(await two.run(attempt)));
  }
  expect(faults).toContain(
    "users: another user deletes all rows that they reach: answered 204, not 403 (42501)",
  );
});
