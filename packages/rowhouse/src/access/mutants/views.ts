import { listSubqueryVariants } from "./conditions.ts";
import type { Mutant } from "./mutant.ts";

/** A view: see views.sql. */
export interface View {
  readonly name: string;
  /** As PostgreSQL writes it. */
  readonly query: string;
  /** "security_invoker=true" and the like. */
  readonly options: readonly string[];
}

/** A view with a condition of its query weakened or turned round, once for each way to do so. */
export function viewMutants({ name, query, options }: View): Mutant[] {
  const head = options.length > 0 ? `${name}\nwith (${options.join(", ")})` : name;
  return listSubqueryVariants(query).map(({ kind, sql }) => ({
    kind: `${kind} in a view`,
    object: name,
    sql: `create or replace view ${head} as\n${sql}`,
    undo: null,
  }));
}
