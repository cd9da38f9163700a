import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withClient } from "../../stack/database.ts";
import { groupBy } from "./group.ts";

/** How much the planner may know of a column. */
export interface StatisticsTarget {
  readonly table: string;
  readonly column: string;
  /** Null is the server's default. */
  readonly target: number | null;
}

const query = readFileSync(join(import.meta.dirname, "statistics.sql"), "utf8");

/** Reads how much the planner may know of each column of a database. */
export async function readStatistics(url: string): Promise<StatisticsTarget[]> {
  return withClient(url, async (client) => {
    await client.query("set search_path = ''");
    return (await client.query<StatisticsTarget>(query)).rows;
  });
}

/** The statements that lead from one to the other, one for each table. */
export function statisticsStatements(
  from: readonly StatisticsTarget[],
  to: readonly StatisticsTarget[],
): string[] {
  const getKey = ({ table, column }: StatisticsTarget) => `${table}.${column}`;
  const before = new Map(from.map((one) => [getKey(one), one.target]));
  const changed = to.filter((one) => (before.get(getKey(one)) ?? null) !== one.target);
  return [...groupBy(changed, ({ table }) => table)].map(([table, columns]) => {
    const parts = columns.map(
      ({ column, target }) => `alter column ${column} set statistics ${target ?? -1}`,
    );
    return `alter table ${table}\n  ${parts.join(",\n  ")}`;
  });
}
