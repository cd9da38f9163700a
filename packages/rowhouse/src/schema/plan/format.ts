import { formatSqlStatements } from "@supabase/pg-delta/sql-format";
import { tokenize } from "../catalog/sql.ts";

type Tokens = ReturnType<typeof tokenize>;

/**
 * A statement in the project's SQL style: lower case, names without quotes that need none, one
 * clause a line. It means the same as before.
 *
 * @param keywords The words that are no names unless they are quoted.
 */
export function formatStatement(sql: string, keywords: ReadonlySet<string>): string {
  const [formatted = sql] = formatSqlStatements([sql], {
    keywordCase: "lower",
    indent: 2,
    maxWidth: 100,
  });
  const all = tokenize(formatted.trim().replace(/;$/, ""));
  const tokens = needsParentheses.test(formatted) ? all : withoutDoubleParentheses(all);
  const text = tokens.map((token) => formatToken(token, keywords)).join("");
  return breakLines(text);
}

function formatToken({ text, kind }: Tokens[number], keywords: ReadonlySet<string>): string {
  if (kind === "code") return text.toLowerCase();
  if (kind === "name") return withoutQuotes(text, keywords);
  const [, tag, body] = /^\$(\w+)\$([\s\S]*)\$\1\$$/.exec(text) ?? [];
  return tag && body !== undefined && !body.includes("$$") ? `$$${body}$$` : text;
}

function withoutQuotes(name: string, keywords: ReadonlySet<string>): string {
  const plain = name.slice(1, -1);
  return /^[a-z_][a-z0-9_]*$/.test(plain) && !keywords.has(plain) ? plain : name;
}

/** Statements in which an expression has parentheses of its own, beside those of the list. */
const needsParentheses = /^\s*create (unique )?index\b|\bexclude using\b|\bpartition by \w+ \(\(/i;

/** "((a = b))" as "(a = b)". A subquery keeps both: "any ((select …))" is not "any (select …)". */
function withoutDoubleParentheses(tokens: Tokens): Tokens {
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (const [index, { text }] of tokens.entries()) {
    if (text === "(") open.push(index);
    if (text === ")") ends.set(open.pop() ?? -1, index);
  }
  const doubled = [...ends].filter(([start, end]) => {
    const inner = ends.get(start + 1);
    return (
      inner === end - 1 && !/^\s*(select|values|with)\b/i.test(joinTokens(tokens, start + 2, 10))
    );
  });
  const surplus = new Set(doubled.flat());
  return tokens.filter((_, index) => !surplus.has(index));
}

function joinTokens(tokens: Tokens, start: number, count: number): string {
  return tokens
    .slice(start, start + count)
    .map(({ text }) => text)
    .join("");
}

function breakLines(sql: string): string {
  if (sql.startsWith("comment on ")) return sql.replace(/ is '/, " is\n  '");
  if (/^create (or replace )?function /.test(sql)) {
    const [head = "", ...body] = sql.split("$$");
    const lines = head
      .replace(/^ +/gm, "")
      .replace("set search_path to ''", "set search_path = ''");
    return [lines, ...body].join("$$");
  }
  return sql
    .replace(/^(create schema \S+) authorization \S+$/, "$1")
    .replace(
      /^(alter table \S+)\n {2}((?:enable|disable|force|no force) row level security)$/,
      "$1 $2",
    );
}
