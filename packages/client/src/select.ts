import type { TableContext } from "./context.ts";
import { refused } from "./errors.ts";
import { quoteName } from "./names.ts";
import type { TableInfo } from "./types.ts";

/** A `with`, without the types of its table. */
export type AnyWith = readonly string[] | Readonly<Record<string, string>>;

/** Adds what is selected beside all columns: exact numbers as text, and embedded rows. */
export function addSelect(
  query: URLSearchParams,
  context: Pick<TableContext, "table" | "info" | "tables">,
  embeds: AnyWith = [],
): void {
  const embedded = Array.isArray(embeds)
    ? embeds.map((table) => formatEmbed(context, table, (_, target) => target === table))
    : Object.entries(embeds).map(([name, key]) => formatEmbed(context, name, (one) => one === key));
  const columns = selectColumns(context.info);
  const all = [...columns, ...embedded];
  if (all.length > 1) query.append("select", all.join(","));
}

/**
 * All columns, then those of exact numbers again as text. The later one counts where a JSON object
 * has a name twice (ECMA-262, section 25.5.1), and a column that the types do not know yet comes too.
 */
function selectColumns({ columns }: TableInfo): string[] {
  const casts = Object.entries(columns).flatMap(([column, kind]) => {
    if (kind === "exact") return [`${quoteName(column)}::text`];
    return kind === "exact[]" ? [`${quoteName(column)}::_text`] : [];
  });
  return ["*", ...casts];
}

/** The foreign key is always named: PostgREST asks back where two tables reference each other. */
function formatEmbed(
  { table, info, tables }: Pick<TableContext, "table" | "info" | "tables">,
  name: string,
  matches: (foreignKey: string, target: string) => boolean,
): string {
  // PostgREST takes a table that references itself for one that is referenced by itself.
  const all = Object.entries(info.references).filter(([, target]) => target !== table);
  const found = all.filter(([key, target]) => matches(key, target));
  const [[foreignKey, target] = ["", ""], second] = found;
  if (target === "" || second !== undefined) {
    const known = all.map(([key, to]) => `${key} (to ${to})`).join(", ");
    throw refused(
      "embed",
      `"${name}" names no one foreign key of ${table}. Write with: { ${name}: "<foreign key>" }: ${known}.`,
    );
  }
  const columns = selectColumns(tables[target] ?? { ...info, columns: {} }).join(",");
  return `${quoteName(name)}:${quoteName(target)}!${quoteName(foreignKey)}(${columns})`;
}
