import fc from "fast-check";
import { ids, people } from "./people.ts";

/** A request as it is generated; "{self}" in it is the user of the run. */
export interface Asked {
  readonly as: "self" | "reader" | "anonymous" | "forged";
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
  /** A row whose version is sent as If-Match, as each world has it. */
  readonly ifMatch?: string;
}

const { constantFrom, constant, option, oneof, record, tuple, array } = fc;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => option(arbitrary, { nil: undefined });
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const taskId = oneof(
  often(12, constantFrom(...ids.own)),
  often(9, constantFrom(...ids.other)),
  often(2, constant(ids.missing)),
  often(1, constant("no-uuid")),
);
const userId = oneof(
  often(12, constant("{self}")),
  often(6, constant(people.other)),
  often(3, constantFrom(people.reader, people.missing)),
  often(1, constant("no-uuid")),
);
const title = oneof(
  often(20, constantFrom("mine", "theirs", "theirs 7", "12", "Ünïcode", "a,b")),
  often(3, fc.string({ maxLength: 12 })),
  often(1, fc.string({ unit: "binary", maxLength: 4 })),
  often(1, constantFrom("", '"', "*", "x".repeat(201))),
);
/**
 * What a change writes is well formed: where no row is changed, the plan decides whether PostgreSQL reads the
 * body at all, and so whether a malformed value is a 400 (docs/security.md).
 */
const newTitle = constantFrom("mine", "theirs", "12", "Ünïcode", "", "x".repeat(201));
const newId = constantFrom(...ids.own, ...ids.other, ids.missing);
const newOwner = constantFrom("{self}", "{self}", people.other, people.reader, people.missing);
const pattern = constantFrom("mine", "*7", "theirs*", "^the", "[0-9]$");
const moment = constantFrom("2001-01-01", "2026-01-01T00:00:00Z", "2100-01-01", "yesterday?");

/** A filter on a column: PostgREST's operator and value. */
function conditionOn(column: string, value: fc.Arbitrary<string>, operators: readonly string[]) {
  const single = tuple(constantFrom("", "not."), constantFrom(...operators), value).map(
    ([not, operator, one]) => [column, `${not}${operator}.${one}`] as const,
  );
  const several = array(value, { minLength: 1, maxLength: 3 }).map(
    (many) => [column, `in.(${many.map((one) => JSON.stringify(one)).join(",")})`] as const,
  );
  return oneof(often(4, single), often(1, several));
}

const condition = oneof(
  often(4, conditionOn("id", taskId, ["eq", "neq", "gt", "lt", "is"])),
  often(4, conditionOn("user_id", userId, ["eq", "neq", "gt", "lte"])),
  often(4, conditionOn("title", title, ["eq", "neq", "gt", "plfts", "is"])),
  // Patterns that are sound: an error for a row comes when the plan meets that row (docs/security.md).
  often(2, conditionOn("title", pattern, ["like", "ilike", "match", "eq"])),
  often(1, conditionOn("completed", constantFrom("true", "false", "null"), ["is", "eq"])),
  often(1, conditionOn("created_at", moment, ["gt", "lt"])),
  often(1, conditionOn("nope", title, ["eq"])),
);

/** One filter, or an or= of several. */
const filter = oneof(
  often(5, condition),
  often(
    1,
    tuple(constantFrom("or", "and"), array(condition, { minLength: 1, maxLength: 3 })).map(
      ([word, many]) =>
        [word, `(${many.map(([column, test]) => `${column}.${test}`).join(",")})`] as const,
    ),
  ),
);

const select = constantFrom(
  "*",
  "id,title",
  "id,user_id,title,created_at",
  "title,id",
  "*",
  "id,title",
  "user_id,id,completed",
  "id,completed::int",
  "id,users(id,name)",
  "id,users!inner(id)",
  "nope",
  "id.count()",
);
const order = constantFrom(
  "id",
  "id",

  "id",
  "id.desc",
  "title.desc,id",
  "created_at,id",
  "updated_at.desc,id",
  "nope",
);

const count = constantFrom("count=exact", "count=planned", "count=estimated");
const readAs = constantFrom<Asked["as"]>(
  ...Array(10).fill("self"),
  ...Array(6).fill("reader"),
  "anonymous",
  "forged",
);
const writeAs = constantFrom<Asked["as"]>(...Array(12).fill("self"), "anonymous", "forged");

/** The parts of a query string that are there. */
function queryOf(
  parts: Record<string, string | undefined>,
  filters: readonly (readonly [string, string])[],
) {
  const given = Object.entries(parts).filter(
    (part): part is [string, string] => part[1] !== undefined,
  );
  return [...given, ...filters];
}

const preferring = (words: readonly (string | undefined)[]): Record<string, string> => {
  const given = words.filter((word) => word !== undefined);
  return given.length === 0 ? {} : { prefer: given.join(", ") };
};

/** Pages are ordered: without an order, which rows come first depends on the plan. */
const readTasks = record({
  as: readAs,
  method: constantFrom("GET", "GET", "GET", "HEAD"),
  filters: array(filter, { maxLength: 2 }),
  select: maybe(select),
  page: maybe(
    tuple(order, constantFrom(undefined, "0", "1", "5"), constantFrom(undefined, "0", "2", "999")),
  ),
  prefer: maybe(count),
  one: fc.boolean(),
}).map(({ as, method, filters, select, page, prefer, one }): Asked => {
  const [order, limit, offset] = page ?? [];
  const accept = one && filters.length === 2 ? { accept: "application/vnd.pgrst.object+json" } : {};
  const headers = { ...preferring([prefer]), ...accept };
  return {
    as,
    method,
    path: "/tasks",
    query: queryOf({ select, order, limit, offset }, filters),
    headers,
  };
});

const readOthers = record({
  as: readAs,
  method: constantFrom("GET", "HEAD"),
  about: constantFrom<readonly [string, string, string]>(
    ["/users", "id", "id"],
    ["/users", "id", "id,tasks(id,title)"],
    ["/users", "id", "id,tasks(count)"],
    ["/lists", "id", "*,lists_members(*)"],
    ["/lists", "title,id", "id,title"],
    ["/lists_members", "group_id,user_id", "*"],
    ["/nothing", "id", "*"],
  ),
  by: maybe(
    oneof(
      conditionOn("id", oneof(userId, constantFrom(...ids.otherLists)), ["eq", "neq"]),
      conditionOn("user_id", userId, ["eq", "neq"]),
      conditionOn("group_id", constantFrom(...ids.otherLists, ids.missing), ["eq", "neq"]),
      conditionOn("title", title, ["eq", "lt"]),
    ),
  ),
  prefer: maybe(count),
}).map(({ as, method, about: [path, order, select], by, prefer }): Asked => {
  const embedded = select.includes("tasks(id") ? { "tasks.order": "id" } : {};
  const query = queryOf({ select, order, ...embedded }, by ? [by] : []);
  return { as, method, path, query, headers: preferring([prefer]) };
});

const task = record({
  user_id: userId,
  id: taskId,
  title,
  description: title,
  completed: fc.boolean(),
});
/** The columns that all rows of a request have: PostgREST takes no others. */
const columns = constantFrom<readonly (keyof Row)[]>(
  ["title"],
  ["id", "title"],
  ["id", "title"],
  ["id", "title", "completed"],
  ["user_id", "id", "title"],
  ["id", "title", "description"],
);
type Row = typeof task extends fc.Arbitrary<infer Value> ? Value : never;
const returned = constantFrom("return=representation", "return=minimal", "return=headers-only");

/** A row whose id the database makes is returned, so that both worlds' ids can be matched. */
const createTasks = record({
  as: writeAs,
  rows: array(task, { minLength: 1, maxLength: 3 }),
  columns,
  unknown: constantFrom(...Array(20).fill({}), { nope: 1 }),
  returned,
  resolution: maybe(constantFrom("resolution=merge-duplicates", "resolution=ignore-duplicates")),
  target: maybe(constantFrom("user_id,id", "user_id,id", "id", "nope")),
  missing: maybe(constant("missing=default")),
  prefer: maybe(count),
}).map(({ as, rows, columns, unknown, returned, resolution, target, missing, prefer }): Asked => {
  const given = rows.map((row) => ({
    ...Object.fromEntries(columns.map((column) => [column, row[column]])),
    ...unknown,
  }));
  const shown = columns.includes("id") ? returned : "return=representation";
  const [only] = given;
  return {
    as,
    method: "POST",
    path: "/tasks",
    query: queryOf({ on_conflict: resolution && target }, []),
    headers: preferring([shown, resolution, missing, prefer]),
    body: JSON.stringify(given.length === 1 || !columns.includes("id") ? only : given),
  };
});

const putTask = record({ as: writeAs, user: userId, id: taskId, title }).map(
  ({ as, user, id, title }): Asked => ({
    as,
    method: "PUT",
    path: "/tasks",
    query: [
      ["user_id", `eq.${user}`],
      ["id", `eq.${id}`],
    ],
    headers: preferring(["return=representation"]),
    body: JSON.stringify({ user_id: user, id, title }),
  }),
);

const changeTasks = record({
  as: writeAs,
  method: constantFrom("PATCH", "PATCH", "DELETE"),
  filters: array(filter, { maxLength: 2 }),
  change: record(
    { title: newTitle, user_id: newOwner, id: newId, completed: fc.boolean() },
    { requiredKeys: [] },
  ),
  returned,
  prefer: maybe(
    oneof(
      count,
      constantFrom("max-affected=0", "max-affected=2", "handling=strict, max-affected=1"),
    ),
  ),
  ifMatch: maybe(constantFrom("2001-01-01", "no time")),
}).map(
  ({ as, method, filters, change, returned, prefer, ifMatch }): Asked => ({
    as,
    method,
    path: "/tasks",
    query: filters,
    headers: { ...preferring([returned, prefer]), ...(ifMatch ? { "if-match": ifMatch } : {}) },
    ...(method === "PATCH" ? { body: JSON.stringify(change) } : {}),
  }),
);

/** A change of the version that was read: it may be the row of another user, too. */
const changeVersion = record({
  as: writeAs,
  id: constantFrom(...ids.own, ...ids.other),
  title: newTitle,
}).map(
  ({ as, id, title }): Asked => ({
    as,
    method: "PATCH",
    path: "/tasks",
    query: [["id", `eq.${id}`]],
    headers: preferring(["return=representation"]),
    body: JSON.stringify({ title }),
    ifMatch: id,
  }),
);

const writeUsers = record({
  as: writeAs,
  method: constantFrom("POST", "PATCH", "DELETE"),
  id: userId,
  name: newTitle,
  resolution: maybe(constantFrom("resolution=merge-duplicates", "resolution=ignore-duplicates")),
}).map(
  ({ as, method, id, name, resolution }): Asked => ({
    as,
    method,
    path: "/users",
    query: method === "POST" ? [] : [["id", `eq.${id}`]],
    headers: preferring(["return=representation", method === "POST" ? resolution : undefined]),
    ...(method === "DELETE"
      ? {}
      : { body: JSON.stringify(method === "POST" ? { id, name } : { name }) }),
  }),
);

/** Ids of lists are not the owner's, so nobody tries the id of a hidden one: see docs/security.md. */
const writeLists = record({
  as: writeAs,
  method: constantFrom("POST", "PATCH", "DELETE"),
  group: constantFrom(...ids.otherLists, ids.missing),
  title: newTitle,
  role: constantFrom("owner", "viewer", "nope"),
  members: fc.boolean(),
}).map(({ as, method, group, title, role, members }): Asked => {
  const headers = preferring(["return=representation"]);
  if (!members) {
    const query: Asked["query"] = method === "POST" ? [] : [["id", `eq.${group}`]];
    const body = method === "DELETE" ? {} : { body: JSON.stringify({ title }) };
    return { as, method, path: "/lists", query, headers, ...body };
  }
  const query: Asked["query"] = method === "POST" ? [] : [["group_id", `eq.${group}`]];
  const row = method === "POST" ? { group_id: group, user_id: "{self}", role } : { role };
  const body = method === "DELETE" ? {} : { body: JSON.stringify(row) };
  return { as, method, path: "/lists_members", query, headers, ...body };
});

const call = record({ as: readAs, path: constantFrom("/rpc/me", "/rpc/me", "/rpc/nothing") }).map(
  ({ as, path }): Asked => ({ as, method: "POST", path, query: [], headers: {} }),
);

/**
 * What anonymous asks, without values: one that is malformed is a 400 where the connection has prepared
 * the statement before, and else a 401 (docs/security.md).
 */
function withoutValues(asked: Asked): Asked {
  const query = asked.query.filter(([name]) => name === "select" || name === "order");
  return { ...asked, query, ...(asked.body === undefined ? {} : { body: '{"title":"mine"}' }) };
}

/** Any request: about a third of them write. */
export const requests: fc.Arbitrary<readonly Asked[]> = array(
  oneof(
    often(10, readTasks),
    often(4, readOthers),
    often(4, createTasks),
    often(1, putTask),
    often(3, changeTasks),
    often(1, changeVersion),
    often(1, writeUsers),
    often(1, writeLists),
    often(1, call),
  ).map((asked) => (asked.as === "anonymous" ? withoutValues(asked) : asked)),
  { minLength: 1, maxLength: 40, size: "max" },
);
