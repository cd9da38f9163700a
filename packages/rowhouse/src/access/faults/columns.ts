import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";
import type { Fault } from "./fault.ts";

const query = readFileSync(join(import.meta.dirname, "columns.sql"), "utf8");

interface Ungranted {
  readonly object: string;
  readonly verb: "select" | "insert";
  readonly role: string;
  readonly remedy: string;
}

/** Finds the columns that a role may not use beside others that it may. The search path is empty. */
export async function findUngrantedColumns(
  client: pg.ClientBase,
  { schemas, roles, logins }: ApiNames,
): Promise<Fault[]> {
  const { rows } = await client.query<Ungranted>(query, [schemas, [...logins, ...roles]]);
  return rows.map(({ object, verb, role, remedy }) => ({
    rule: "column_grants",
    level: "error",
    object,
    ...describe(verb, role),
    remedy,
    keys: [`column_grants ${verb} ${object} ${role}`],
  }));
}

function describe(verb: Ungranted["verb"], role: string): Pick<Fault, "finding" | "effect"> {
  if (verb === "select") {
    return {
      finding: `${role} may read other columns of it, and not this one`,
      effect: "Its select=*, and what a write gives back, is 403",
    };
  }
  return {
    finding: `${role} may insert other columns, and not this one, which takes no null and has no default`,
    effect: "Every insert fails",
  };
}
