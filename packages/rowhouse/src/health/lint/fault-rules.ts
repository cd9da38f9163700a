import type { Rule } from "./rule.ts";

/** The rules about what makes requests fail: access/faults finds it, for other commands too. */
export const faultRules: readonly Omit<Rule, "query">[] = [
  {
    name: "column_grants",
    level: "error",
    why: "Who may read some columns and not all of them gets 42501 for select=*, which is what a list and the answer to a write ask for unless they name columns: one new column without a grant takes the whole table away from all its users. So does a required column that they may not insert, for inserts.",
    remedy:
      "grant select (column) on ... to ...; what no request may see belongs into the schema private.",
  },
];
