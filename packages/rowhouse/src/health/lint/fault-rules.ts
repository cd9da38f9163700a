import type { Rule } from "./rule.ts";

/** The rules about what makes requests fail: access/faults finds it, for other commands too. */
export const faultRules: readonly Omit<Rule, "query">[] = [
  {
    name: "column_grants",
    level: "error",
    scope: "any",
    why: "Who may read some columns and not all of them gets 42501 for select=*, which is what a list and the answer to a write ask for unless they name columns: one new column without a grant takes the whole table away from all its users. So does a required column that they may not insert, for inserts.",
    remedy:
      "grant select (column) on ... to ...; what no request may see belongs into the schema private.",
    cost: "Some, where columns were hidden by REVOKE: each takes select=* away. Name those that are meant.",
  },
  {
    name: "failing_requests",
    level: "error",
    scope: "any",
    why: "A policy that raises an error makes each of these requests fail, for all users: policies that ask each other's tables, a function without EXECUTE, a table that the role may not read. PostgreSQL explains one statement for each table, verb and role, and the policies are evaluated over a few rows.",
    remedy:
      "Let a policy ask a security definer function in place of another table's policies; grant what it uses; correct its expression.",
    cost: "None, but for requests that fail.",
  },
  {
    name: "failing_rows",
    level: "note",
    scope: "any",
    why: "A policy that raises an error for some rows or claims makes every request fail that meets such a row, also a list of rows that are in order. On declared tables the rows are made up: see whether real ones can be like them.",
    remedy: "case when ... then ... end around what can fail, or a check constraint on the column.",
    cost: "One line in all, on a project that does not follow the conventions.",
  },
  {
    name: "fallible_policies",
    level: "note",
    scope: "any",
    why: "A division, a cast of text or a function that raises fails for the values that it does not take, and every request fails that meets such a row or claim. It is found by the policy's expression, where the rows that were tried did not show it; what stands behind a condition of CASE is taken to be guarded.",
    remedy:
      "case when ... then ... end around it, or nullif(..., 0). Where no row can be like that, switch the note off with the reason.",
    cost: "One line in all, on a project that does not follow the conventions.",
  },
  {
    name: "policy_recursion",
    level: "error",
    scope: "any",
    why: "A policy that reads its own table, or another one whose policies read this one, never comes to an end: PostgreSQL refuses each such request with 42P17.",
    remedy:
      "Let the policy ask a security definer function in a schema that is not exposed, as request.is_member_of_<table>() does.",
    cost: "None, but for requests that fail.",
  },
];
