import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";

/** A row of type_kinds.sql: a type beneath its domains. */
export interface TypeKind {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  /** The type of an array's elements. */
  readonly element: number | null;
  readonly is_enum: boolean;
  readonly kind: string;
}

/** Every type of a database, by its oid. */
export type TypeKinds = ReadonlyMap<number, TypeKind>;

const typeKindsSql = readFileSync(join(import.meta.dirname, "type_kinds.sql"), "utf8");

/** Reads every type of a database. */
export async function readTypeKinds(client: pg.ClientBase): Promise<TypeKinds> {
  const { rows } = await client.query<TypeKind>(typeKindsSql);
  return new Map(rows.map((row) => [row.id, row]));
}

/** The kind of a column of this type: see ColumnKind of @rowhouse/client. */
export function findKind(types: TypeKinds, type: number): string {
  const found = types.get(type);
  if (found?.element == null) return found?.kind ?? "opaque";
  // An array of a domain over arrays is all that has two levels.
  const element = findKind(types, found.element);
  return element.endsWith("[]") ? "opaque[]" : `${element}[]`;
}
