/** Comments, strings, quoted names and dollar quotes, each as one; else a character at a time. */
const token =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|[\s\S]/g;

/** A piece of an SQL text: a comment, a string, a quoted name, or a character of code. */
interface Token {
  readonly text: string;
  readonly kind: "comment" | "string" | "name" | "code";
}

/** Splits an SQL text, losing nothing. */
export function tokenize(sql: string): Token[] {
  return [...sql.matchAll(token)].map(([text]) => ({ text, kind: getKind(text) }));
}

function getKind(text: string): Token["kind"] {
  if (text.startsWith("--") || text.startsWith("/*")) return "comment";
  if (text.startsWith('"')) return "name";
  return text.length > 1 ? "string" : "code";
}

/** A statement, and where it stands in its text. */
export interface Statement {
  readonly text: string;
  /** In UTF-16 units, from the text's start. */
  readonly start: number;
}

/**
 * The statements of an SQL text, each without its semicolon, and with the comments above it.
 * Bodies in the `begin atomic` form are cut at their semicolons.
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  let end = 0;
  for (const { text, kind } of [...tokenize(sql), { text: ";", kind: "code" }]) {
    if (kind === "code" && text === ";") {
      const part = sql.slice(start, end);
      const lead = part.length - part.trimStart().length;
      if (normalize(part) !== "") statements.push({ text: part.trim(), start: start + lead });
      start = end + 1;
    }
    end += text.length;
  }
  return statements;
}

/** A statement without comments, on one line and in lower case: for recognising it. */
export function normalize(sql: string): string {
  return tokenize(sql)
    .map(({ text, kind }) =>
      kind === "comment" ? " " : kind === "code" ? text.toLowerCase() : text,
    )
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

const name = "[a-z_][\\w$]*";
const path = `${name}(?:\\.${name})?`;

/** How statements that make or change an object name it; the groups are the parts of its name. */
const subjects: readonly [kind: string, pattern: RegExp][] = [
  [
    "function",
    new RegExp(`^(?:create|create or replace|alter|drop) (?:function|procedure) (${path})`),
  ],
  ["policy", new RegExp(`^(?:create|alter|drop) policy (${name} on ${path})`)],
  ["table", new RegExp(`^(?:create|alter|drop) table (${path})`)],
  ["trigger", new RegExp(`^create (?:constraint )?trigger (${name}) .*? (on ${path})`)],
  ["trigger", new RegExp(`^(?:alter|drop) trigger (${name}) (on ${path})`)],
  ["index", new RegExp(`^(?:create|alter|drop) (?:unique )?index (?:${name}\\.)?(${name})`)],
  ["view", new RegExp(`^(?:create|create or replace|alter|drop) view (${path})`)],
];

/** What a statement makes, changes or drops, as "policy select_own on api.tasks". */
export function findSubject(sql: string): string | undefined {
  const text = normalize(sql);
  for (const [kind, pattern] of subjects) {
    const [, ...parts] = pattern.exec(text) ?? [];
    if (parts.length > 0) return [kind, ...parts].join(" ");
  }
  return undefined;
}
