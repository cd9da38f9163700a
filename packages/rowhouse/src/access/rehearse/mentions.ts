import { loadModule, parsePlPgSQLSync, parseSync } from "libpg-query";
import { errorMessage } from "../../lib/errors.ts";

// Nothing that `rowhouse --version` or `start` needs imports this module: only who reads SQL waits.
await loadModule();

/** A name in a text of SQL. */
export interface Name {
  readonly schema: string | null;
  readonly name: string;
}

/** A key that is read of a JSON value, as in `auth.jwt() ->> 'email'`. */
interface JsonKey {
  /** Null where it is computed. */
  readonly key: string | null;
  /** The functions that the value is computed by. */
  readonly functions: readonly Name[];
  /** The settings among their arguments. */
  readonly settings: readonly (string | null)[];
  /** Whether the value is that of a variable, or of a column without its table. */
  readonly isVariable: boolean;
}

/** What a text of SQL mentions, by the parser. */
export interface Mentions {
  readonly functions: readonly Name[];
  readonly relations: readonly Name[];
  readonly operators: readonly Name[];
  readonly types: readonly Name[];
  /** The names of `with` queries, which look like those of tables. */
  readonly queries: readonly string[];
  /** The last part of names like `task.owner`, which may also call a function. */
  readonly attributes: readonly string[];
  /** Settings that are read, in lower case; null for one whose name is computed. */
  readonly settings: readonly (string | null)[];
  /** What is read of JSON, as claims are. */
  readonly keys: readonly JsonKey[];
  /** "SVFOP_CURRENT_USER" and the like. */
  readonly values: readonly string[];
  /** Why the text does not show all that it does; null when it does. */
  readonly hidden: string | null;
}

/** How a text is written. */
export type Language = "sql" | "plpgsql" | "expression";

/**
 * What a text mentions.
 *
 * @param text Statements of SQL, the `create function` of a function in PL/pgSQL, or expressions
 *   with commas between them.
 */
export function findMentions(text: string, language: Language): Mentions {
  return collect((found) => {
    if (language === "plpgsql") found.walkFunction(text);
    else found.walk(parseSync(language === "expression" ? `select ${text}` : toStatements(text)));
  });
}

/** What the WHERE of a query mentions, without what stands in the query's other clauses. */
export function findWhereMentions(query: string): Mentions {
  return collect((found) => {
    const node = parseSync(query).stmts?.[0]?.stmt;
    if (node !== undefined && "SelectStmt" in node) found.walk(node.SelectStmt.whereClause);
  });
}

function collect(walk: (found: Collector) => void): Mentions {
  const found = new Collector();
  try {
    walk(found);
  } catch {
    found.hidden = "the parser does not read it";
  }
  return found;
}

/** PostgreSQL writes a body that it has read as `return …` or `begin atomic … end`. */
function toStatements(text: string): string {
  const trimmed = text.trim();
  if (/^return\b/i.test(trimmed)) return `select ${trimmed.slice("return".length)}`;
  const body = /^begin atomic\b(.*)\bend$/is.exec(trimmed)?.[1];
  return body ?? trimmed;
}

type Fields = Readonly<Record<string, unknown>>;

class Collector implements Mentions {
  readonly functions: Name[] = [];
  readonly relations: Name[] = [];
  readonly operators: Name[] = [];
  readonly types: Name[] = [];
  readonly queries: string[] = [];
  readonly attributes: string[] = [];
  readonly settings: (string | null)[] = [];
  readonly keys: JsonKey[] = [];
  readonly values: string[] = [];
  hidden: string | null = null;

  /** Goes through a tree of SQL. */
  walk(node: unknown): void {
    for (const [kind, value] of entries(node)) {
      if (isFields(value)) this.#add(kind, value);
      this.walk(value);
    }
  }

  #add(kind: string, fields: Fields): void {
    if (kind === "A_Expr") this.#addKey(fields);
    const list = nameLists[kind];
    if (list !== undefined) this.#addName(this[list[0]], fields[list[1]]);
    else if (kind === "FuncCall") this.#addCall(fields);
    else if (kind === "RangeVar") this.#addRelation(fields);
    else if (kind === "CommonTableExpr") this.queries.push(`${fields.ctename}`);
    else if (kind === "SQLValueFunction") this.values.push(`${fields.op}`);
    else if (kind === "ColumnRef") this.attributes.push(...strings(fields.fields).slice(-1));
    else if (kind === "A_Indirection")
      this.attributes.push(...strings(fields.indirection).slice(-1));
    else this.hidden ??= hiding[kind] ?? null;
  }

  #addRelation({ schemaname, relname }: Fields): void {
    this.relations.push({ schema: schemaname ? `${schemaname}` : null, name: `${relname}` });
  }

  #addCall(call: Fields): void {
    this.#addName(this.functions, call.funcname);
    if (strings(call.funcname).at(-1) !== "current_setting") return;
    const [name] = Array.isArray(call.args) ? call.args : [];
    this.settings.push(readConstant(name)?.toLowerCase() ?? null);
  }

  #addKey(expression: Fields): void {
    const key = readKey(expression);
    if (key === undefined) return;
    const { functions, settings, attributes } = findMentionsIn(expression.lexpr);
    const isVariable = attributes.length > 0 && functions.length === 0;
    this.keys.push({ key, functions, settings, isVariable });
  }

  #addName(names: Name[], parts: unknown): void {
    const all = strings(parts);
    const name = all.at(-1);
    if (name !== undefined) names.push({ schema: all.at(-2) ?? null, name });
  }

  /**
   * Goes through a `create function` in PL/pgSQL. The parser knows no catalog, and takes each type that is
   * not PostgreSQL's for a row: into such a variable it lets no column go, as an enum's may. There it gets text.
   */
  walkFunction(text: string): void {
    let readable = text;
    for (;;) {
      try {
        this.walkPlpgsql(parsePlPgSQLSync(readable));
        return;
      } catch (error) {
        const variable = /^"(.+)" is not a scalar variable$/.exec(errorMessage(error))?.[1];
        const declared = variable === undefined ? null : findDeclared(readable, variable);
        if (declared === null || declared.type === "text") throw error;
        this.#walkType(declared.type);
        readable = declared.asText;
      }
    }
  }

  /** Goes through its statements, which hold expressions as texts. */
  walkPlpgsql(node: unknown): void {
    for (const [kind, value] of entries(node)) {
      if (/^PLpgSQL_stmt_dyn/.test(kind) || kind === "dynquery") this.#hideDynamic();
      if (kind === "PLpgSQL_expr" && isFields(value)) this.#walkExpression(value);
      if (kind === "PLpgSQL_type" && isFields(value)) this.#walkType(`${value.typname}`);
      this.walkPlpgsql(value);
    }
  }

  #hideDynamic(): void {
    this.hidden = "it makes up statements as it runs";
  }

  /** Mode 0 is a statement, 2 an expression; 3 and more assign an expression to a variable. */
  #walkExpression({ query, parseMode }: Fields): void {
    const text = `${query}`;
    if (parseMode === 0) this.walk(parseSync(text));
    else if (parseMode === 2) this.walk(parseSync(`select ${text}`));
    else this.walk(parseSync(`select ${text.slice(findAssigned(text))}`));
  }

  #walkType(name: string): void {
    const table = /^(.*)%(?:row)?type$/i.exec(name)?.[1];
    if (table === undefined && name !== "record") this.walk(parseSync(`select null::${name}`));
  }
}

/** The key that an operator reads of a JSON value; null for one that is computed, undefined for other operators. */
function readKey({ name, rexpr }: Fields): string | null | undefined {
  const operator = strings(name).at(-1);
  if (operator === "->" || operator === "->>") return readConstant(rexpr) ?? null;
  if (operator !== "#>" && operator !== "#>>") return undefined;
  return /^\{"?([^",}]+)/.exec(readConstant(rexpr) ?? "")?.[1] ?? null;
}

/** What a part of a tree mentions: nothing where it is itself what is read of JSON. */
function findMentionsIn(node: unknown): Mentions {
  const found = new Collector();
  const isPart = (value: unknown): boolean =>
    entries(value).some(
      ([kind, part]) =>
        (kind === "A_Expr" && isFields(part) && readKey(part) !== undefined) || isPart(part),
    );
  if (!isPart(node)) found.walk(node);
  return found;
}

/** Where the parser has names: in which field of a node, and of what. */
const nameLists: Readonly<Record<string, readonly ["operators" | "types", string]>> = {
  A_Expr: ["operators", "name"],
  SubLink: ["operators", "operName"],
  SortBy: ["operators", "useOp"],
  typeName: ["types", "names"],
  TypeName: ["types", "names"],
};

/** Statements that do more than they show. */
const hiding: Readonly<Record<string, string>> = {
  VariableSetStmt: "it changes settings",
  DoStmt: "it runs other statements",
  ExecuteStmt: "it runs other statements",
};

/** The type of a variable where it is declared, and the text with the type text in its place. */
function findDeclared(text: string, variable: string): { type: string; asText: string } | null {
  const name = variable.replace(/[^\w]/g, "\\$&");
  const part = `(?:"[^"]+"|\\w+)`;
  const declaration = new RegExp(
    `((?:^|[\\s(,;"])${name}"?\\s+(?:constant\\s+)?)(${part}(?:\\.${part})*)`,
    "i",
  );
  const [, before, type] = declaration.exec(text) ?? [];
  if (before === undefined || type === undefined) return null;
  return { type, asText: text.replace(declaration, () => `${before}text`) };
}

/** Where the value begins in `variable[…] := value`. */
function findAssigned(text: string): number {
  const sign = /^[^:=]*(:=|=)/.exec(text);
  if (sign === null) throw new Error("No assignment.");
  return sign[0].length;
}

function entries(node: unknown): [string, unknown][] {
  if (Array.isArray(node)) return node.map((value) => ["", value]);
  return isFields(node) ? Object.entries(node) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The strings in a list of the parser's names. */
function strings(list: unknown): string[] {
  return (Array.isArray(list) ? list : []).flatMap((part) =>
    isFields(part) && isFields(part.String) ? [`${part.String.sval ?? ""}`] : [],
  );
}

/** A string in a text, also with a cast. */
function readConstant(node: unknown): string | undefined {
  if (!isFields(node)) return undefined;
  if (isFields(node.TypeCast)) return readConstant(node.TypeCast.arg);
  const constant = isFields(node.A_Const) ? node.A_Const.sval : undefined;
  return isFields(constant) ? `${constant.sval ?? ""}` : undefined;
}
