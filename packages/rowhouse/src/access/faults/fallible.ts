import { loadModule, parsePlPgSQLSync, parseSync } from "libpg-query";

// Nothing that `rowhouse --version` or `start` needs imports this module: only who reads SQL waits.
await loadModule();

/** What is around an expression. */
export interface Surroundings {
  /** The columns of its table, each with its type. */
  readonly columns: ReadonlyMap<string, string>;
  /** The functions that may raise an error, as "request.org". */
  readonly raising: ReadonlySet<string>;
}

/**
 * What in an expression raises an error for some values, in words: "divides by an expression over
 * title". What stands behind a condition of CASE is taken to be guarded by it. Casts count only of
 * what is text for sure, and constants not at all: to evaluate the expression once shows these.
 *
 * @param sql As PostgreSQL writes it.
 * @returns Each once; none where the parser does not read it.
 */
export function findFallible(sql: string, around: Surroundings): string[] {
  // A walk through an expression that is too deep fails as well.
  const reasons = orUndefined(() => walk(parseSync(`select ${sql}`), around));
  return [...new Set(reasons)];
}

/** Whether a function in PL/pgSQL raises an error of its own, other than a status (PT403). */
export function raisesError(definition: string): boolean {
  const tree = orUndefined(() => parsePlPgSQLSync(definition));
  return listNodes(tree, "PLpgSQL_stmt_raise").some(({ elog_level, condname, options }) => {
    const codes = listNodes(options, "PLpgSQL_expr").map(({ query }) => `${query}`);
    return (
      elog_level === errorLevel && ![`'${condname}'`, ...codes].some((one) => /^'PT/.test(one))
    );
  });
}

/** ERROR, among the levels of RAISE. */
const errorLevel = 21;

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function walk(node: unknown, around: Surroundings): string[] {
  if (Array.isArray(node)) return node.flatMap((one) => walk(one, around));
  if (!isFields(node)) return [];
  return Object.entries(node).flatMap(([kind, value]) => {
    if (!isFields(value)) return walk(value, around);
    if (kind === "CaseExpr") return walk(listUnguarded(value), around);
    const reason = readers[kind]?.(value, around);
    return [...(reason === undefined ? [] : [reason]), ...walk(value, around)];
  });
}

/** The first condition is evaluated in any case; the rest depends on one. */
function listUnguarded({ arg, args }: Fields): unknown[] {
  const [first] = Array.isArray(args) ? args : [];
  return [arg, isFields(first) && isFields(first.CaseWhen) ? first.CaseWhen.expr : undefined];
}

const readers: Readonly<
  Record<string, (fields: Fields, around: Surroundings) => string | undefined>
> = {
  A_Expr: readDivision,
  TypeCast: readCast,
  FuncCall: readCall,
};

function readDivision({ kind, name, rexpr }: Fields): string | undefined {
  const operator = lastString(name);
  if (kind !== "AEXPR_OP" || (operator !== "/" && operator !== "%")) return undefined;
  return isNeverZero(rexpr) ? undefined : `divides by ${describe(rexpr)}`;
}

/** A constant, which was tried already, or what says itself that it is not zero. */
function isNeverZero(node: unknown): boolean {
  const constant = readConstant(node);
  if (constant !== undefined) return true;
  if (!isFields(node)) return false;
  if (isFields(node.A_Expr)) return node.A_Expr.kind === "AEXPR_NULLIF";
  if (!isFields(node.MinMaxExpr) || node.MinMaxExpr.op !== "IS_GREATEST") return false;
  const { args } = node.MinMaxExpr;
  return (Array.isArray(args) ? args : []).some((one) => Number(readConstant(one)) > 0);
}

/** The text of a constant, also with casts. */
function readConstant(node: unknown): string | undefined {
  if (!isFields(node)) return undefined;
  if (isFields(node.TypeCast)) return readConstant(node.TypeCast.arg);
  if (!isFields(node.A_Const)) return undefined;
  const { ival, fval, sval } = node.A_Const;
  if (isFields(ival)) return `${ival.ival ?? 0}`;
  if (isFields(fval)) return `${fval.fval}`;
  return isFields(sval) ? `${sval.sval ?? ""}` : "";
}

/** Types that take any text. */
const textTypes = new Set(["text", "varchar", "bpchar", "name", "citext", "unknown", "char"]);
const jsonTypes = new Set(["json", "jsonb"]);

function readCast({ arg, typeName }: Fields, around: Surroundings): string | undefined {
  const type = isFields(typeName) ? (lastString(typeName.names) ?? "") : "";
  if (textTypes.has(type) || (jsonTypes.has(type) && isOfRequest(arg))) return undefined;
  const isRefused = isText(arg, around) || (isJson(arg) && !jsonTypes.has(type));
  return isRefused ? `casts ${describe(arg)} to ${type}` : undefined;
}

/** PostgREST sets these, and always to JSON. */
function isOfRequest(node: unknown): boolean {
  if (!isFields(node) || !isFields(node.FuncCall)) return false;
  const { funcname, args } = node.FuncCall;
  const [setting] = Array.isArray(args) ? args : [];
  return (
    lastString(funcname) === "current_setting" && /^request\./.test(readConstant(setting) ?? "")
  );
}

/** Functions of PostgreSQL's that give text. */
const textFunctions = new Set(
  "btrim concat concat_ws current_setting left lower lpad ltrim regexp_replace regexp_substr replace right rpad rtrim split_part substr substring translate upper".split(
    " ",
  ),
);

function isText(node: unknown, { columns }: Surroundings): boolean {
  if (!isFields(node)) return false;
  if (isFields(node.ColumnRef)) {
    const type = columns.get(lastString(node.ColumnRef.fields) ?? "") ?? "";
    return /^(text|citext|name|character( varying)?(\(\d+\))?)$/.test(type);
  }
  if (isFields(node.A_Expr)) return ["->>", "#>>"].includes(lastString(node.A_Expr.name) ?? "");
  if (isFields(node.FuncCall)) return textFunctions.has(lastString(node.FuncCall.funcname) ?? "");
  const cast = isFields(node.TypeCast) ? node.TypeCast : undefined;
  return (
    isFields(cast?.typeName) &&
    textTypes.has(lastString(cast.typeName.names) ?? "") &&
    readConstant(cast.arg) === undefined
  );
}

function isJson(node: unknown): boolean {
  return (
    isFields(node) &&
    isFields(node.A_Expr) &&
    ["->", "#>"].includes(lastString(node.A_Expr.name) ?? "")
  );
}

/** Functions of PostgreSQL's that refuse some values of the right type. */
const refusing = new Set(
  "chr convert_from decode json_array_elements json_array_elements_text json_array_length json_each json_each_text json_object_keys jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_each jsonb_each_text jsonb_object_keys ln log make_date make_time make_timestamp make_timestamptz mod sqrt to_date to_number to_timestamp".split(
    " ",
  ),
);

function readCall({ funcname, args }: Fields, { raising }: Surroundings): string | undefined {
  const path = strings(funcname);
  const name = path.at(-1) ?? "";
  if (raising.has(path.join("."))) return `calls ${path.join(".")}(), which raises an error`;
  const isOwn = path.length > 1 && path[0] !== "pg_catalog";
  const values = Array.isArray(args) ? args : [];
  if (isOwn || !refusing.has(name) || values.every((one) => readConstant(one) !== undefined))
    return undefined;
  // Of a number it takes any; mod() divides by its second one.
  if (name === "to_timestamp" && values.length === 1) return undefined;
  if (name === "mod" && isNeverZero(values[1])) return undefined;
  return `calls ${name}(), which refuses some values`;
}

/** An expression by what it looks at. */
function describe(node: unknown): string {
  const columns = new Set(
    listNodes(node, "ColumnRef").flatMap(({ fields }) => lastString(fields) ?? []),
  );
  if (isFields(node) && isFields(node.ColumnRef)) return [...columns].join("");
  return columns.size === 0 ? "an expression" : `an expression over ${[...columns].join(", ")}`;
}

/** All nodes of a kind, wherever they stand. */
function listNodes(node: unknown, kind: string): Fields[] {
  if (Array.isArray(node)) return node.flatMap((one) => listNodes(one, kind));
  if (!isFields(node)) return [];
  return Object.entries(node).flatMap(([name, value]) => [
    ...(name === kind && isFields(value) ? [value] : []),
    ...listNodes(value, kind),
  ]);
}

function strings(list: unknown): string[] {
  return (Array.isArray(list) ? list : []).flatMap((part) =>
    isFields(part) && isFields(part.String) ? [`${part.String.sval ?? ""}`] : [],
  );
}

function lastString(list: unknown): string | undefined {
  return strings(list).at(-1);
}
