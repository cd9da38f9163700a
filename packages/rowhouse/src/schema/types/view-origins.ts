/** The column that a view's column shows: a relation's oid, and the column's number. */
export interface Origin {
  readonly relation: number;
  readonly column: number;
}

const token = /[(){}]|(?:\\.|[^\s(){}\\])+/gs;

/** How deep the entries of a query's own target list lie: in QUERY, in TARGETENTRY. */
const entryDepth = 2;

/**
 * Which columns a view shows as they are, read from the query tree that PostgreSQL keeps of it
 * (`pg_rewrite.ev_action`), where PostgREST reads it, too. What is computed has no origin.
 *
 * @returns By the number of the view's column.
 */
export function readOrigins(queryTree: string): Map<number, Origin> {
  const origins = new Map<number, Origin>();
  let [depth, number, relation] = [0, 0, 0];
  let field = "";
  for (const [word] of queryTree.matchAll(token)) {
    depth += Number(word === "{") - Number(word === "}");
    // The target list of a subquery lies deeper.
    if (depth === entryDepth) {
      const column = Number(word);
      if (field === ":resno") number = column;
      if (field === ":resorigtbl") relation = column;
      if (field === ":resorigcol" && column > 0) origins.set(number, { relation, column });
    }
    field = word;
  }
  return origins;
}
