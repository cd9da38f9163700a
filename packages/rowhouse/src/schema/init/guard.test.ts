import { expect, test } from "vitest";
import { guardRole } from "./guard.ts";

test("a membership by way of another role does not stand for one of its own", () => {
  const sql = guardRole("grant editor to deployer");
  expect(sql).toContain("pg_catalog.pg_auth_members");
  expect(sql).not.toContain("pg_has_role");
});
