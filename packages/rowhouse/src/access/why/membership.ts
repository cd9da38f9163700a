import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { exactJson } from "../../stack/exact-json.ts";
import type { Relation } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";
import type { CheckResult } from "./decide.ts";
import type { Row } from "./rows.ts";

/** Whether a user is a member of the group that a row is of, as a table says that policies read. */
export interface Membership {
  /** The table of members, with its schema. */
  readonly table: string;
  /** The group and the user that were looked for, by the columns of the table. */
  readonly key: Readonly<Record<string, string>>;
  /** The row that makes the user a member; null when there is none. */
  readonly row: Readonly<Record<string, unknown>> | null;
}

/** A table of members, and the column of the checked table that names the group. */
interface MembersTable {
  readonly name: string;
  readonly groupColumn: string;
  readonly userColumn: string;
  readonly ownColumn: string;
}

const query = readFileSync(join(import.meta.dirname, "membership.sql"), "utf8");

/**
 * Looks up what the policies that were checked ask about memberships. Tables whose rows the connection does
 * not see are left out.
 *
 * @param usersTable The table of the users, as SQL writes it.
 * @param row The row that was checked.
 * @param user The id of the caller.
 */
export async function findMemberships(
  client: pg.ClientBase,
  usersTable: string,
  relation: Relation,
  checks: readonly CheckResult[],
  row: Row,
  user: string,
): Promise<Membership[]> {
  const policies = checks.flatMap(({ conditions }) => conditions.map(({ policy }) => policy.name));
  const { rows: tables } = await client.query<MembersTable>(query, [
    sqlName(relation),
    policies,
    usersTable,
  ]);
  const memberships: Membership[] = [];
  for (const { name, groupColumn, userColumn, ownColumn } of tables) {
    const group = row.values[ownColumn];
    if (group === null || group === undefined) continue;
    // As text by SQL: in JSON, a large bigint would lose digits.
    const { rows: groups } = await client.query<{ id: string }>(
      `select (($1::text::${sqlName(relation)}).${quoteName(ownColumn)})::text as id`,
      [row.text],
    );
    const key = { [groupColumn]: groups[0]?.id ?? String(group), [userColumn]: user };
    // The parameters take the types of the columns, in which capitals of a UUID do not matter.
    const { rows } = await client.query<{ row: Record<string, unknown> }>({
      text: `select to_json(member) as row from ${name} as member
        where member.${quoteName(groupColumn)} = $1 and member.${quoteName(userColumn)} = $2`,
      values: Object.values(key),
      types: exactJson,
    });
    memberships.push({ table: name, key, row: rows[0]?.row ?? null });
  }
  return memberships;
}

/** A membership, or that there is none, in a line for people. */
export function describeMembership({ table, key, row }: Membership): string {
  const format = (values: Readonly<Record<string, unknown>>, between: string) =>
    Object.entries(values)
      .map(([column, value]) => `${column} ${value}`)
      .join(between);
  if (row === null) return `no member: ${table} has no row with ${format(key, " and ")}`;
  // When they became a member does not matter here.
  const shown = Object.entries(row).filter(([column]) => !/_at$/.test(column));
  return `member: ${table} has ${format(Object.fromEntries(shown), ", ")}`;
}
