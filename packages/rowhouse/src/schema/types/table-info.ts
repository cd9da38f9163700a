import type { Column, Relation } from "./relations.ts";
import { findKind, type TypeKinds } from "./type-kinds.ts";

/** What the client must know of a table or view at run time: see TableInfo of @rowhouse/client. */
export interface TableInfo {
  readonly key: readonly string[];
  readonly owner: string | null;
  readonly newId: string | null;
  readonly columns: Readonly<Record<string, string>>;
  readonly nullable: readonly string[];
  readonly references: Readonly<Record<string, string>>;
}

/** Describes the tables and views of one schema, by name, for the client. */
export function describeTables(
  relations: ReadonlyMap<number, Relation>,
  types: TypeKinds,
  schema: string | undefined,
): Map<string, TableInfo> {
  // PostgREST serves no partition by its own name.
  const exposed = [...relations.values()].filter(
    (relation) => relation.schema === schema && !relation.is_partition,
  );
  const names = new Map(exposed.map(({ id, name }) => [id, name]));
  return new Map(exposed.map((relation) => [relation.name, describe(relation, types, names)]));
}

function describe(
  relation: Relation,
  types: TypeKinds,
  exposed: ReadonlyMap<number, string>,
): TableInfo {
  const { columns } = relation;
  const name = (number: number) => columns.find((one) => one.number === number)?.name ?? "";
  return {
    key: relation.key.map(name),
    owner: relation.owner === null ? null : name(relation.owner),
    newId: findNewId(relation, types)?.name ?? null,
    columns: toRecord(columns.map((column) => [column.name, findKind(types, column.type)])),
    nullable: columns.filter(({ notNull }) => !notNull).map((column) => column.name),
    references: toRecord(
      relation.references.flatMap(({ name: constraint, target }) => {
        const table = exposed.get(target);
        return table === undefined ? [] : [[constraint, table]];
      }),
    ),
  };
}

/**
 * The one column of the key that the client makes a UUID for. What refers to another table is no
 * new id, since it is of a row that exists; and a user has the id that the token names.
 */
function findNewId(relation: Relation, types: TypeKinds): Column | undefined {
  const refers = new Set(relation.references.flatMap(({ columns }) => columns));
  const candidates = relation.columns.filter(
    ({ number, type, isInsertable }) =>
      isInsertable &&
      relation.key.includes(number) &&
      number !== relation.owner &&
      !refers.has(number) &&
      isUuid(types, type),
  );
  return candidates.length === 1 && !relation.is_users ? candidates[0] : undefined;
}

function isUuid(types: TypeKinds, type: number): boolean {
  const found = types.get(type);
  return found?.schema === "pg_catalog" && found.name === "uuid";
}

/** Own properties alone, whatever their names. */
function toRecord(entries: readonly (readonly string[])[]): Record<string, string> {
  return Object.fromEntries(entries);
}
