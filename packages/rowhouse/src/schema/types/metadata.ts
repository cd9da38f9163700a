import type { GeneratorMetadata } from "@supabase/postgrest-typegen";
import { type ArgumentNames, orderArguments } from "./argument-order.ts";
import { separateOverloads } from "./overloads.ts";
import type { Relation } from "./relations.ts";
import type { TypeKind, TypeKinds } from "./type-kinds.ts";

type Column = GeneratorMetadata["columns"][number];
type PgFunction = GeneratorMetadata["functions"][number];
type PgType = GeneratorMetadata["types"][number];

/** The labels that stand for an exact number in the generator's output: no type can have these. */
export const exactColumn = "rowhouse: an exact column";
export const exactValue = "rowhouse: an exact value";

/**
 * What the generator of the types has to be told so that its types are true: what a domain is made
 * of, which numbers are exact, what comes as a string, which columns of views are never null, and
 * what a function with defaults, OUT arguments or overloads takes and returns.
 */
export function correctMetadata(
  metadata: GeneratorMetadata,
  types: TypeKinds,
  relations: ReadonlyMap<number, Relation>,
  names: ArgumentNames,
): GeneratorMetadata {
  const byName = new Map(metadata.types.map((one) => [`${one.schema}.${one.name}`, one.id]));
  const rows = new Set(metadata.types.filter(isRowOfTable).map(({ id }) => id));
  return {
    ...metadata,
    // dbmate's own, where the schema public is served.
    tables: metadata.tables.filter(
      ({ schema, name }) => `${schema}.${name}` !== "public.schema_migrations",
    ),
    types: [
      ...metadata.types.map((type) => ({ ...type, ...rename(type.id, exactValue, types) })),
      ...[exactColumn, exactValue].map(standIn),
    ],
    columns: metadata.columns.map(correctColumn),
    functions: separateOverloads(
      metadata.functions.map((fn) => correctFunction(orderArguments(fn, names))),
      isComputedColumn,
    ),
  };

  function correctColumn(column: Column): Column {
    const type = byName.get(`${column.type_schema}.${column.format}`);
    const renamed = type === undefined ? undefined : rename(type, exactColumn, types);
    const known = relations
      .get(column.table_id)
      ?.columns.find(({ number }) => number === column.ordinal_position);
    return {
      ...column,
      ...(renamed && { format: renamed.name, type_schema: renamed.schema }),
      ...(known && { is_nullable: !known.notNull }),
    };
  }

  function isComputedColumn(fn: PgFunction): boolean {
    const [arg, ...others] = fn.args.filter(isInput);
    return arg !== undefined && others.length === 0 && rows.has(arg.type_id);
  }
}

/** A composite type has attributes; the type of a table's rows has its columns. */
function isRowOfTable({ type_relation_id, attributes }: PgType): boolean {
  return type_relation_id !== null && attributes.length === 0;
}

/** What the generator has to take a type for; undefined when there is none with this oid. */
function rename(
  id: number,
  exact: string,
  types: TypeKinds,
): Pick<PgType, "name" | "schema"> | undefined {
  const type = types.get(id);
  if (type === undefined) return undefined;
  if (type.element !== null) {
    const element = rename(type.element, exact, types);
    return element && { name: `_${element.name}`, schema: element.schema };
  }
  if (type.kind === "exact") return { name: exact, schema: exact };
  if (comesAsString(type)) return { name: "text", schema: "pg_catalog" };
  return { name: type.name, schema: type.schema };
}

/** An enum comes as a string too, and has its labels for a type. */
function comesAsString({ kind, is_enum }: TypeKind): boolean {
  return !is_enum && ["text", "ordered", "range", "search"].includes(kind);
}

/** A type with one label, which the generator prints as it is. */
function standIn(label: string): PgType {
  return {
    id: 0,
    name: label,
    schema: label,
    format: label,
    enums: [label],
    attributes: [],
    comment: null,
    type_relation_id: null,
  };
}

const isInput = ({ mode }: PgFunction["args"][number]) => !["out", "table"].includes(mode);

/**
 * The generator counts OUT arguments among those that may have defaults, and does not know the
 * row that they make.
 */
function correctFunction(fn: PgFunction): PgFunction {
  const inputs = fn.args.filter(isInput);
  const required = inputs.length - fn.args.filter((arg) => arg.has_default).length;
  return {
    ...fn,
    args: [
      ...inputs.map((arg, index) => ({ ...arg, has_default: index >= required })),
      ...findOutputs(fn),
    ],
  };
}

/** The columns of the row that a function returns by its arguments. */
function findOutputs(fn: PgFunction): PgFunction["args"] {
  const outputs = fn.args.filter(({ mode }) => mode !== "in" && mode !== "variadic");
  // One that is a row is the row that is returned.
  if (outputs.length === 1 && fn.return_type_relation_id !== null) return [];
  // What has no name is named by PostgREST's query, or by PostgreSQL.
  const unnamed = (index: number) => (outputs.length === 1 ? "pgrst_call" : `column${index + 1}`);
  return outputs.map((arg, index) => ({ ...arg, mode: "table", name: arg.name || unnamed(index) }));
}
