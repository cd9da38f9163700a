import { expect, test } from "vitest";
import { userIdFor } from "./user-id.ts";

// The same values are those of packages/rowhouse/tests/database/request.user_id_for.sql.
test.each([
  ["auth0|6523", "95febf33-e689-86fc-8522-f84b2ca388f8"],
  ["Zoë 🦊", "46de97cd-17a4-8316-97ee-5129a3f0738e"],
])("the user %s is the same as in the database", async (sub, id) => {
  expect(await userIdFor("https://issuer.example/", sub)).toBe(id);
});

test("a sub that is a UUID is the id itself", async () => {
  const id = "A11CE000-0000-4000-8000-000000000000";
  expect(await userIdFor("https://issuer.example/", id)).toBe(id.toLowerCase());
});

test("what only looks like a UUID is none", async () => {
  expect(await userIdFor("i", "a11ce000-0000-4000-8000-000000000000\n")).toMatch(/^.{14}8/);
});
