import type pg from "pg";
import { parseStatement } from "../catalog/sql.ts";
import { quotePath } from "../catalog/subject.ts";

/** The tables that have partitions or children, as SQL writes them when nothing is on the search path. */
export async function readParents(client: pg.ClientBase): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    "select distinct inhparent::regclass::text as name from pg_catalog.pg_inherits",
  );
  return new Set(rows.map(({ name }) => name));
}

/**
 * A publication that names every table, as the plan of one does: where a parent has a row filter or a list of
 * columns, its children would get it a second time, which PostgreSQL refuses.
 */
export function withoutChildren(sql: string, parents: ReadonlySet<string>): string {
  const tree = sql.startsWith("create publication ") ? parseStatement(sql) : undefined;
  if (tree === undefined || !("CreatePublicationStmt" in tree)) return sql;
  const places = (tree.CreatePublicationStmt.pubobjects ?? []).flatMap((one) => {
    const { relation, whereClause, columns } =
      ("PublicationObjSpec" in one && one.PublicationObjSpec.pubtable) || {};
    const name = quotePath([relation?.schemaname ?? "", relation?.relname ?? ""]);
    return parents.has(name) && (whereClause || columns) ? [relation?.location ?? 0] : [];
  });
  const bytes = Buffer.from(sql);
  const starts = [0, ...places];
  return starts
    .map((start, index) => bytes.toString("utf8", start, starts[index + 1]))
    .join("only ");
}
