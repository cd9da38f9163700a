/** Strings, quoted names, parentheses, and the words that join terms: all that matters here. */
const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]| AND | OR /g;

/** The same with the words of a CASE. */
const caseToken = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|\b(?:CASE|WHEN|THEN|ELSE|END)\b/g;

/**
 * The condition with one of its terms changed, once for each way to do so. A term is what AND or OR
 * joins, at any depth, also in a NOT, and each result of a CASE. For subqueries see conditions.ts.
 *
 * @param condition As `pg_get_expr` writes it.
 * @param change What comes in the term's place; null takes it out where that opens something: out of an
 *   AND, in a NOT out of an OR; and has a CASE result in true.
 */
export function listVariants(
  condition: string,
  change: (term: string) => string | null,
  isNegated = false,
): string[] {
  const { word, parts } = splitTerms(condition);
  return parts.flatMap((part, index) => {
    const whole = change(part);
    const inside = listInside(part, change, isNegated);
    const replaced = [...(whole === null ? [] : [whole]), ...inside];
    const variants = replaced.map((variant) => joinTerms(parts.with(index, variant), word));
    const mayGo = whole === null && word === (isNegated ? "or" : "and");
    return mayGo ? [joinTerms(parts.toSpliced(index, 1), word), ...variants] : variants;
  });
}

/** The variants of what a term itself is made of. */
function listInside(
  part: string,
  change: (term: string) => string | null,
  isNegated: boolean,
): string[] {
  if (splitTerms(part).word !== null) return listVariants(part, change, isNegated);
  const negated = /^NOT (.*)$/s.exec(part)?.[1];
  // A single term in a NOT is turned round as a whole.
  if (negated !== undefined)
    return splitTerms(negated).word === null
      ? []
      : listVariants(negated, change, !isNegated).map((variant) => `not (${variant})`);
  const open = isNegated ? "false" : "true";
  return findResults(part).flatMap(({ start, end }) => {
    const result = part.slice(start, end).trim();
    const other = change(result) ?? open;
    return other === result ? [] : [`${part.slice(0, start)} ${other} ${part.slice(end)}`];
  });
}

/** Where the results of a CASE stand; none where the term is no CASE as a whole. */
function findResults(term: string): { start: number; end: number }[] {
  const words = tokenize(term, caseToken);
  let cases = 0;
  const own = words.filter(({ found, depth }) => {
    if (found === "CASE") cases += 1;
    const isOwn = depth === 0 && cases === 1 && /^[A-Z]/.test(found);
    if (found === "END") cases -= 1;
    return isOwn;
  });
  const last = own.at(-1);
  const isWhole = own[0]?.index === 0 && last?.found === "END" && last.index === term.length - 3;
  if (!isWhole) return [];
  return own.flatMap(({ found, index }, position) =>
    found === "THEN" || found === "ELSE"
      ? [{ start: index + 4, end: own[position + 1]?.index ?? term.length }]
      : [],
  );
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
function tokenize(sql: string, pattern = token): { found: string; index: number; depth: number }[] {
  let depth = 0;
  return [...sql.matchAll(pattern)].map(({ 0: found, index }) => {
    if (found === "(") depth += 1;
    if (found === ")") depth -= 1;
    return { found, index, depth };
  });
}
