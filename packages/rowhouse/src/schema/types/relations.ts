import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";
import { type Origin, readOrigins } from "./view-origins.ts";

/** A column, as relations.sql selects it. */
export interface Column {
  readonly number: number;
  readonly name: string;
  /** The oid of its type. */
  readonly type: number;
  readonly notNull: boolean;
  /** Whether a role other than the table's owner may insert it. */
  readonly isInsertable: boolean;
}

/** A foreign key: its columns, and the oid of the table that it points at. */
interface ForeignKey {
  readonly name: string;
  readonly columns: readonly number[];
  readonly target: number;
}

/** A table or view. Columns are named by their number. */
export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly is_partition: boolean;
  readonly is_users: boolean;
  readonly columns: readonly Column[];
  /** The columns that name a row; empty when none are known to. */
  readonly key: readonly number[];
  readonly owner: number | null;
  readonly references: readonly ForeignKey[];
}

/** A row of relations.sql. */
interface RelationRow extends Relation {
  readonly simple_view: string | null;
}

const relationsSql = readFileSync(join(import.meta.dirname, "relations.sql"), "utf8");

/**
 * Reads the tables and views of all schemas, by oid. A simple view has the key, the owner, the
 * foreign keys and the nulls of the table beneath it, as far as it shows their columns.
 */
export async function readRelations(
  client: pg.ClientBase,
  { usersTable }: Pick<ApiNames, "usersTable">,
): Promise<ReadonlyMap<number, Relation>> {
  const { rows } = await client.query<RelationRow>(relationsSql, [usersTable ?? null]);
  const read = new Map(rows.map((row) => [row.id, row]));
  return new Map(rows.map((row) => [row.id, resolve(row, read)]));
}

function resolve(relation: RelationRow, all: ReadonlyMap<number, RelationRow>): Relation {
  if (relation.simple_view === null) return relation;
  const shown = [...readOrigins(relation.simple_view)];
  const beneath = all.get(shown[0]?.[1].relation ?? 0);
  return beneath ? inherit(relation, resolve(beneath, all), shown) : relation;
}

/** What a simple view knows of its rows from the relation beneath it. */
function inherit(
  view: Relation,
  beneath: Relation,
  shown: readonly (readonly [number, Origin])[],
): Relation {
  // A column that is shown twice is named by the first.
  const names = new Map(shown.toReversed().map(([number, { column }]) => [column, number]));
  const neverNull = new Set(beneath.columns.filter((one) => one.notNull).map((one) => one.number));
  const origins = new Map(shown.map(([number, { column }]) => [number, column]));
  return {
    ...view,
    is_users: beneath.is_users,
    columns: view.columns.map((column) => ({
      ...column,
      notNull: neverNull.has(origins.get(column.number) ?? 0),
    })),
    key: translate(beneath.key, names) ?? [],
    owner: beneath.owner === null ? null : (names.get(beneath.owner) ?? null),
    references: beneath.references.flatMap((fkey) => {
      const columns = translate(fkey.columns, names);
      return columns ? [{ ...fkey, columns }] : [];
    }),
  };
}

/** The view's columns for those of the table; undefined when it lacks one. */
function translate(
  columns: readonly number[],
  names: ReadonlyMap<number, number>,
): number[] | undefined {
  const translated = columns.flatMap((column) => names.get(column) ?? []);
  return translated.length === columns.length ? translated : undefined;
}
