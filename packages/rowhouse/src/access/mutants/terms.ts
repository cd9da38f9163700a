/** Strings, quoted names, parentheses, and the words that join terms: all that matters here. */
const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]| AND | OR /g;

/**
 * The condition with one of its terms changed, once for each way to do so. A term is what AND or OR
 * joins, at any depth. What stands in a NOT is left as it is; subqueries: see conditions.ts.
 *
 * @param condition As `pg_get_expr` writes it.
 * @param change What comes in the term's place; null takes it out of an AND. Of an OR nothing is
 *   taken out, since that only closes something.
 */
export function listVariants(condition: string, change: (term: string) => string | null): string[] {
  const { word, parts } = splitTerms(condition);
  return parts.flatMap((part, index) => {
    const inside = splitTerms(part).word === null ? [] : listVariants(part, change);
    const whole = change(part);
    const replaced = [...(whole === null ? [] : [whole]), ...inside];
    const variants = replaced.map((variant) => joinTerms(parts.with(index, variant), word));
    const mayGo = whole === null && word === "and";
    return mayGo ? [joinTerms(parts.toSpliced(index, 1), word), ...variants] : variants;
  });
}

function joinTerms(parts: readonly string[], word: string | null): string {
  return parts.length === 1 ? parts.join() : parts.map((part) => `(${part})`).join(` ${word} `);
}

/**
 * What AND or OR joins on the top level. PostgreSQL puts each of them into parentheses of its own,
 * so it is only one of them, or none.
 */
export function splitTerms(condition: string): {
  word: "and" | "or" | null;
  parts: readonly string[];
} {
  const sql = withoutParentheses(condition);
  const words = tokenize(sql).filter(({ found, depth }) => depth === 0 && found.startsWith(" "));
  const ends = [...words.map(({ index }) => index), sql.length];
  const starts = [0, ...words.map(({ index, found }) => index + found.length)];
  const parts = starts.map((start, at) => withoutParentheses(sql.slice(start, ends[at])));
  const [first] = words;
  return { word: first === undefined ? null : first.found === " OR " ? "or" : "and", parts };
}

/** The condition without the parentheses that go around all of it. Nothing else is changed. */
export function withoutParentheses(condition: string): string {
  const sql = condition.trim();
  const firstEnd = tokenize(sql).find(({ depth }) => depth === 0);
  const enclosed = sql.startsWith("(") && firstEnd?.index === sql.length - 1;
  return enclosed ? withoutParentheses(sql.slice(1, -1)) : sql;
}

/** The tokens, each with how many parentheses are open after it. */
function tokenize(sql: string): { found: string; index: number; depth: number }[] {
  let depth = 0;
  return [...sql.matchAll(token)].map(({ 0: found, index }) => {
    if (found === "(") depth += 1;
    if (found === ")") depth -= 1;
    return { found, index, depth };
  });
}
