import { listVariants, splitTerms, withoutParentheses } from "./terms.ts";

/** SQL in which one condition is changed. */
export interface ConditionVariant {
  readonly kind: "term dropped" | "inverted";
  readonly sql: string;
}

/** Where a condition stands in SQL. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * PostgreSQL writes keywords in upper case, and quotes every name that has upper case in it: so these
 * are keywords wherever they stand outside of quotes.
 */
const token =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()[\];]|\b(?:DISTINCT ON|ON CONFLICT|ON|WHERE|HAVING|GROUP BY|WINDOW|ORDER BY|LIMIT|OFFSET|FETCH|FOR|UNION|INTERSECT|EXCEPT|RETURNING|AS|FROM)\b/g;

/**
 * The SQL with a condition of its subqueries weakened or turned round, once for each way to do so:
 * what stands after WHERE, HAVING and the ON of a join, at any depth.
 *
 * @param sql As PostgreSQL writes it (`pg_get_expr`, `pg_get_function_sqlbody`).
 */
export function listSubqueryVariants(sql: string): ConditionVariant[] {
  return findConditions(sql).flatMap((span) => listSpanVariants(sql, span));
}

/**
 * The SQL with a term of what a function says changed. That it is true altogether is not among it.
 *
 * @param body As PostgreSQL writes it, of a function that says yes or no.
 */
export function listAnswerVariants(body: string): ConditionVariant[] {
  const start = /^(RETURN|BEGIN ATOMIC\s+SELECT)\b/.exec(body)?.[0].length;
  if (start === undefined) return [];
  const last = tokenize(body).find(
    ({ text, index, depth }) => index >= start && depth === 0 && /^(;|AS$|FROM$)/.test(text),
  );
  const span = { start, end: last?.index ?? body.length };
  const condition = body.slice(span.start, span.end);
  return changeSpan(
    body,
    span,
    listVariants(condition, () => null),
  );
}

function listSpanVariants(sql: string, span: Span): ConditionVariant[] {
  return changeSpan(sql, span, dropTerms(sql.slice(span.start, span.end)));
}

function changeSpan(
  sql: string,
  { start, end }: Span,
  dropped: readonly string[],
): ConditionVariant[] {
  const replace = (kind: ConditionVariant["kind"]) => (variant: string) => ({
    kind,
    sql: `${sql.slice(0, start)} (${variant})${sql.slice(end)}`,
  });
  const inverted = listVariants(sql.slice(start, end), (term) => `not (${term})`);
  return [...dropped.map(replace("term dropped")), ...inverted.map(replace("inverted"))];
}

/** Each term of an AND left out, and what is no AND replaced by true. */
function dropTerms(condition: string): string[] {
  const dropped = listVariants(condition, () => null);
  const whole = splitTerms(condition).word === "and" || withoutParentheses(condition) === "true";
  return whole ? dropped : ["true", ...dropped];
}

function findConditions(sql: string): Span[] {
  const tokens = tokenize(sql);
  return tokens.flatMap((one, position) => {
    if (!["WHERE", "HAVING", "ON"].includes(one.text)) return [];
    const later = tokens.slice(position + 1);
    const last = later.find(({ text, depth }) =>
      // The condition of a join is in parentheses of its own, and what follows is no clause.
      one.text === "ON" ? depth === one.depth && text === ")" : endsClause(text, depth, one.depth),
    );
    const start = one.index + one.text.length;
    const end = last === undefined ? sql.length : last.index + (one.text === "ON" ? 1 : 0);
    return [{ start, end }];
  });
}

function endsClause(text: string, depth: number, clauseDepth: number): boolean {
  if (depth < clauseDepth) return true;
  return depth === clauseDepth && /^(;|[A-Z])/.test(text);
}

/** The tokens, each with how many brackets are open after it. */
function tokenize(sql: string): { text: string; index: number; depth: number }[] {
  let depth = 0;
  return [...sql.matchAll(token)].map(({ 0: text, index }) => {
    if (/^[([]$/.test(text)) depth += 1;
    if (/^[)\]]$/.test(text)) depth -= 1;
    return { text, index, depth };
  });
}
