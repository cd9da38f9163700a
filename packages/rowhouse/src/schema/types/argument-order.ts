import type { GeneratorMetadata } from "@supabase/postgrest-typegen";
import type pg from "pg";

type PgFunction = GeneratorMetadata["functions"][number];

/** The names of the arguments of each function, in the order in which it declares them, by its oid. */
export type ArgumentNames = ReadonlyMap<string, readonly string[]>;

/** Reads the arguments' names of every function that names them. */
export async function readArgumentNames(client: pg.ClientBase): Promise<ArgumentNames> {
  const { rows } = await client.query<{ id: string; names: string[] }>(
    "select oid::text as id, proargnames as names from pg_catalog.pg_proc where proargnames is not null",
  );
  return new Map(rows.map(({ id, names }) => [id, names]));
}

/**
 * Brings a function's arguments into its own order. The generator's query gathers them without one: in
 * a database with many functions PostgreSQL sorts them, and mixes them. Defaults go by the order.
 */
export function orderArguments(fn: PgFunction, names: ArgumentNames): PgFunction {
  const order = names.get(String(fn.id)) ?? [];
  return { ...fn, args: fn.args.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)) };
}
