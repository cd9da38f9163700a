import { describe, expect, test } from "vitest";
import { formatCondition } from "./condition.ts";
import type { ApiRole, Policy, Relation, Verb } from "./model.ts";
import { getAccess, type PolicyCheck, toSql } from "./policy-check.ts";

function policy(change: Partial<Policy> = {}): Policy {
  return {
    name: "own",
    permissive: true,
    verb: "all",
    roles: ["authenticated"],
    appliesTo: ["authenticated"],
    using: "(user_id = me())",
    check: null,
    comment: null,
    ...change,
  };
}

const verbs: readonly Verb[] = ["select", "insert", "update", "delete"];

function table(policies: readonly Policy[], change: Partial<Relation> = {}): Relation {
  return {
    schema: "api",
    name: "tasks",
    fullName: "api.tasks",
    label: "tasks",
    searchPath: ["api"],
    owner: "user_id",
    kind: "table",
    comment: null,
    asksAsInvoker: false,
    usableBy: ["anonymous", "authenticated"],
    rowSecurity: true,
    forced: true,
    bypassedBy: [],
    ownedBy: [],
    columns: [],
    key: ["id"],
    grants: verbs.map((verb) => ({ role: "authenticated", verb, columns: ["id", "title"] })),
    policies,
    ...change,
  };
}

/** The conditions of a verb: of the row, of the resulting row, and of a filter. */
function conditions(relation: Relation, verb: Verb, role: ApiRole = "authenticated") {
  const { row, result, filter } = getAccess(relation, role, verb);
  const format = (checks: readonly PolicyCheck[]) => formatCondition(checks);
  return [format(row), format(result), filter && format([filter.check])];
}

describe("row-level security", () => {
  test("lets no row pass without a permissive policy", () => {
    const restrictive = policy({ permissive: false });
    expect(conditions(table([restrictive]), "select")).toEqual(["false", "true", null]);
    expect(toSql(getAccess(table([]), "authenticated", "select").row)).toBe("false");
  });

  test("combines permissive policies with or, and restrictive ones with and", () => {
    const policies = [
      policy(),
      policy({ name: "open", using: "(shared)" }),
      policy({ name: "live", using: "(NOT gone)", permissive: false }),
    ];
    expect(conditions(table(policies), "select")[0]).toBe(
      "(user_id = me() or shared) and not gone",
    );
    expect(toSql(getAccess(table(policies), "authenticated", "select").row)).toBe(
      "(((user_id = me())) or ((shared))) and ((NOT gone))",
    );
  });

  test("lets every row pass with a permissive policy that is true", () => {
    const policies = [policy(), policy({ name: "all", using: "true" })];
    expect(conditions(table(policies), "select")[0]).toBe("true");
    expect(toSql(getAccess(table(policies), "authenticated", "select").row)).toBe("true");
  });

  test("checks a new row with USING where a policy has no WITH CHECK", () => {
    expect(conditions(table([policy()]), "insert")).toEqual(["true", "user_id = me()", null]);
    const checked = policy({ check: "(title <> '')" });
    expect(conditions(table([checked]), "insert")[1]).toBe("title <> ''");
  });

  test("applies the policies of select to an update or delete that filters", () => {
    const policies = [
      policy({ verb: "update" }),
      policy({ name: "see", verb: "select", using: "(seen)" }),
    ];
    expect(conditions(table(policies), "update")).toEqual([
      "user_id = me()",
      "user_id = me()",
      "seen",
    ]);
    expect(conditions(table(policies), "delete")).toEqual(["false", "true", "seen"]);
  });

  test("ignores the policies of other roles and verbs", () => {
    const policies = [policy({ appliesTo: ["anonymous"] }), policy({ verb: "delete" })];
    expect(conditions(table(policies), "select")[0]).toBe("false");
  });

  test.each<[string, Partial<Relation>, string]>([
    ["that is off", { rowSecurity: false }, "true"],
    ["and BYPASSRLS", { bypassedBy: ["authenticated"] }, "true"],
    ["and the owner, unless it is forced", { ownedBy: ["authenticated"], forced: false }, "true"],
    ["that is forced on the owner", { ownedBy: ["authenticated"] }, "false"],
  ])("%s", (_, change, expected) => {
    expect(conditions(table([], change), "select")[0]).toBe(expected);
  });
});

describe("a grant", () => {
  test("means nothing without the right to use the schema", () => {
    expect(getAccess(table([]), "authenticated", "select").columns).toEqual(["id", "title"]);
    const closed = table([], { usableBy: [] });
    expect(getAccess(closed, "authenticated", "select").columns).toBeNull();
  });

  test("is missing for a role that has none", () => {
    expect(getAccess(table([]), "anonymous", "select").columns).toBeNull();
  });
});
