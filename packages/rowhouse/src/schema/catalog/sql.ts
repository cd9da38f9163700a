import { setFlagsFromString } from "node:v8";
import { loadModule, type Node, parseSync, type RawStmt, scanSync } from "libpg-query";

// Nothing that `rowhouse --version` or `start` needs imports this module: only who reads SQL waits.
// V8 compiles the parser quickly, and not well: a command reads a few files, while the good code takes
// 0.25 s of CPU in the background.
setFlagsFromString("--liftoff-only");
await loadModule();

/** A piece of an SQL text: a comment, a string, a quoted name, a piece of code, or what is between. */
export interface Token {
  readonly text: string;
  readonly kind: "comment" | "string" | "name" | "code";
  /** In UTF-16 units, from the text's start. */
  readonly start: number;
}

/** Splits an SQL text as PostgreSQL does, losing nothing. What it cannot read is code. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  const add = (to: number) => {
    const text = sql.slice(end, to);
    if (text !== "") tokens.push({ text, kind: getKind(text), start: end });
    end = to;
  };
  const offset = countUnits(sql);
  for (const token of orNothing(() => scanSync(sql).tokens) ?? []) {
    add(offset(token.start));
    add(offset(token.end));
  }
  add(sql.length);
  return tokens;
}

function getKind(text: string): Token["kind"] {
  if (/^(--|\/\*)/.test(text)) return "comment";
  if (/^([uU]&)?"/.test(text)) return "name";
  return /^(?:([ebxnEBXN]|[uU]&)?'|\$(?!\d))/.test(text) ? "string" : "code";
}

/** The parser counts bytes of UTF-8, JavaScript units of UTF-16. Asked for in ascending order. */
function countUnits(sql: string): (byte: number) => number {
  const bytes = Buffer.from(sql);
  let [last, units] = [0, 0];
  return (byte) => {
    units += bytes.toString("utf8", last, byte).length;
    last = byte;
    return units;
  };
}

/** The parser throws at what is no SQL: PostgreSQL, which is asked next, says it better. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What PostgreSQL's parser made of a statement: `{ CreateStmt: { … } }`. */
export type Tree = Node;

/** A statement, and where it stands in its text. */
export interface Statement {
  /** Without its semicolon, and with the comments above it. */
  readonly text: string;
  /** In UTF-16 units, from the text's start. */
  readonly start: number;
  /** Where its code begins, behind the comments above it. */
  readonly codeStart: number;
  /** Undefined when the text is no SQL. */
  readonly tree: Tree | undefined;
}

/** What PostgreSQL's parser makes of a text's statements, without their places; of a text that is no SQL, nothing. */
export function parseStatements(sql: string): (Tree | undefined)[] {
  return (parse(sql) ?? []).map(({ stmt }) => stmt);
}

function parse(sql: string): RawStmt[] | undefined {
  return sql.trim() === "" ? [] : orNothing(() => parseSync(sql).stmts ?? []);
}

/** The statements of an SQL text. A text that is no SQL is one statement, for PostgreSQL to refuse. */
export function splitStatements(sql: string): Statement[] {
  const parsed = parse(sql);
  if (parsed === undefined) {
    const start = sql.length - sql.trimStart().length;
    return [{ text: sql.trim(), start, codeStart: start, tree: undefined }];
  }
  const offset = countUnits(sql);
  const code = tokenize(sql).filter(({ text, kind }) => kind !== "comment" && text.trim() !== "");
  let previous = 0;
  return parsed.map(({ stmt, stmt_location = 0, stmt_len }: RawStmt) => {
    const from = offset(stmt_location);
    const to = stmt_len ? offset(stmt_location + stmt_len) : sql.length;
    const own = code.filter(({ start, text }) => start >= from && start < to && text !== ";");
    const end = own.reduce((_, { start, text }) => start + text.length, to);
    const codeStart = own[0]?.start ?? from;
    const gap = sql.slice(previous, codeStart);
    const start = previous + gap.length - gap.replace(/^[\s;]+/, "").length;
    previous = to;
    return { text: sql.slice(start, end), start, codeStart, tree: stmt };
  });
}

/** What the parser makes of a single statement; undefined when it is none. */
export function parseStatement(sql: string): Tree | undefined {
  return parseStatements(sql)[0];
}

/** A name as PostgreSQL writes it: in quotes where it needs them. */
export function quoteName(name: string): string {
  // PostgreSQL quotes every keyword but those that can be any name.
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && keywordKind(name) <= 1;
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

function keywordKind(word: string): number {
  return scanSync(word).tokens[0]?.keywordKind ?? 0;
}
