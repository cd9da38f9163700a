/** Strings, quoted names, parentheses, and the word that joins terms: all that matters here. */
const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]| AND /g;

/**
 * The terms of a condition that have to hold together, as `pg_get_expr` writes them. It puts each
 * AND and OR into parentheses of its own, so an AND on the top level joins terms, always.
 */
export function termsOf(condition: string): string[] {
  const sql = withoutParentheses(condition);
  const terms: string[] = [];
  let start = 0;
  for (const { found, index, depth } of tokensOf(sql)) {
    if (found !== " AND " || depth > 0) continue;
    terms.push(sql.slice(start, index));
    start = index + found.length;
  }
  return [...terms, sql.slice(start)].map(withoutParentheses);
}

/** The condition without the parentheses that go around all of it. Nothing else is changed. */
export function withoutParentheses(condition: string): string {
  const sql = condition.trim();
  const firstEnd = tokensOf(sql).find(({ depth }) => depth === 0);
  const enclosed = sql.startsWith("(") && firstEnd?.index === sql.length - 1;
  return enclosed ? withoutParentheses(sql.slice(1, -1)) : sql;
}

/** The tokens, each with how many parentheses are open after it. */
function tokensOf(sql: string): { found: string; index: number; depth: number }[] {
  let depth = 0;
  return [...sql.matchAll(token)].map(({ 0: found, index }) => {
    if (found === "(") depth += 1;
    if (found === ")") depth -= 1;
    return { found, index, depth };
  });
}
