import type { Action, Caller } from "./actions.ts";

/** A request, as it is sent. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A row, as JSON. */
export type Row = Record<string, unknown>;

/** The rows of an answer, or the count; undefined of a deletion. */
export type Answer = readonly Row[] | number | undefined;

/** How a server is asked, and what its answers mean. */
export interface Dialect {
  /** Undefined where it has no such call. */
  readonly ask: (action: Action, caller: Caller) => HttpRequest | undefined;
  readonly read: (action: Action, body: string, headers: Headers) => Answer;
}

const json = { "Content-Type": "application/json" };
const noBody = undefined;

/** The requests that the typed client sends to PostgREST, by the page size that is asked for. */
export const postgrest: Dialect = {
  ask(action, caller) {
    switch (action.kind) {
      case "list":
        return { method: "GET", path: `/tasks?${listQuery(action)}` };
      case "get":
        return { method: "GET", path: `/tasks?id=eq.${action.id}`, headers: oneObject };
      case "count":
        return { method: "GET", path: "/tasks?limit=0", headers: { Prefer: "count=exact" } };
      case "create":
        return {
          method: "POST",
          path: "/tasks?columns=title,id,user_id",
          headers: { ...json, Prefer: "return=representation" },
          body: JSON.stringify([{ title: action.title, id: action.id, user_id: caller.id }]),
        };
      case "update":
        return {
          method: "PATCH",
          path: `/tasks?id=eq.${action.id}`,
          headers: { ...json, ...oneObject, Prefer: "return=representation" },
          body: JSON.stringify({ title: action.title }),
        };
      case "delete":
        return {
          method: "DELETE",
          path: `/tasks?id=eq.${action.id}`,
          headers: { ...oneObject, Prefer: "return=representation" },
        };
    }
  },
  read(action, body, headers) {
    if (action.kind === "delete") return noBody;
    if (action.kind === "count") return Number(headers.get("content-range")?.split("/")[1]);
    const value = JSON.parse(body) as Row[] | Row;
    return Array.isArray(value) ? value : [value];
  },
};

const oneObject = { Accept: "application/vnd.pgrst.object+json" };

function listQuery({ limit, before, search, withUser }: Action & { kind: "list" }): string {
  return [
    ...(before === undefined ? [] : [`id=lt.${before}`]),
    ...(search === undefined ? [] : [`title=imatch.***%3D${search}`]),
    ...(withUser ? ["select=*,users:users!tasks_user_id_fkey(*)"] : []),
    "order=id.desc",
    `limit=${limit}`,
  ].join("&");
}

/** The same without policies: each request names the user, as the policies would. */
export const postgrestWithoutPolicies: Dialect = {
  ask(action, caller) {
    const request = postgrest.ask(action, caller);
    if (request === undefined || action.kind === "create") return request;
    return { ...request, path: `${request.path}&user_id=eq.${caller.id}` };
  },
  read: postgrest.read,
};

/** The routes of the peers that are written by hand. */
export const routes: Dialect = {
  ask(action) {
    switch (action.kind) {
      case "list": {
        const { limit, before, search, withUser } = action;
        const query = new URLSearchParams({
          limit: String(limit),
          ...(before === undefined ? {} : { before }),
          ...(search === undefined ? {} : { search }),
          ...(withUser ? { with: "users" } : {}),
        });
        return { method: "GET", path: `/tasks?${query}` };
      }
      case "get":
        return { method: "GET", path: `/tasks/${action.id}` };
      case "count":
        return { method: "GET", path: "/tasks/count" };
      case "create": {
        const body = JSON.stringify({ id: action.id, title: action.title });
        return { method: "POST", path: "/tasks", headers: json, body };
      }
      case "update": {
        const body = JSON.stringify({ title: action.title });
        return { method: "PATCH", path: `/tasks/${action.id}`, headers: json, body };
      }
      case "delete":
        return { method: "DELETE", path: `/tasks/${action.id}` };
    }
  },
  read(action, body) {
    if (action.kind === "delete") return noBody;
    const value = JSON.parse(body) as Row[] | Row;
    if (action.kind === "count") return Number((value as Row).count);
    return Array.isArray(value) ? value : [value];
  },
};

/** Names of PostGraphile, and ours. */
const fields = {
  userId: "user_id",
  rowId: "id",
  title: "title",
  description: "description",
  completed: "completed",
  createdAt: "created_at",
  updatedAt: "updated_at",
};
const userFields = {
  rowId: "id",
  email: "email",
  name: "name",
  createdAt: "created_at",
  updatedAt: "updated_at",
};
const columns = Object.keys(fields).join(" ");
const user = `userByUserId { ${Object.keys(userFields).join(" ")} }`;

const queries = {
  list: `query ($limit: Int!) { allTasks(first: $limit, orderBy: ROW_ID_DESC) { nodes { ${columns} } } }`,
  listWithUser: `query ($limit: Int!) { allTasks(first: $limit, orderBy: ROW_ID_DESC) { nodes { ${columns} ${user} } } }`,
  get: `query ($userId: UUID!, $id: UUID!) { taskByUserIdAndRowId(userId: $userId, rowId: $id) { ${columns} } }`,
  count: "query { allTasks { totalCount } }",
  create: `mutation ($userId: UUID!, $id: UUID!, $title: String!) { createTask(input: { task: { userId: $userId, rowId: $id, title: $title } }) { task { ${columns} } } }`,
  update: `mutation ($userId: UUID!, $id: UUID!, $title: String!) { updateTaskByUserIdAndRowId(input: { userId: $userId, rowId: $id, taskPatch: { title: $title } }) { task { ${columns} } } }`,
  delete:
    "mutation ($userId: UUID!, $id: UUID!) { deleteTaskByUserIdAndRowId(input: { userId: $userId, rowId: $id }) { clientMutationId } }",
};

/** PostGraphile's schema. It searches in texts, and continues behind an id, with plugins alone. */
export const graphql: Dialect = {
  ask(action, { id: userId }) {
    if (action.kind === "list") {
      const { limit, before, search, withUser } = action;
      if (before !== undefined || search !== undefined) return undefined;
      return post(withUser ? queries.listWithUser : queries.list, { limit });
    }
    const { kind, ...variables } = action;
    return post(queries[kind], kind === "count" ? {} : { userId, ...variables });
  },
  read(action, body) {
    const { data, errors } = JSON.parse(body);
    if (errors) throw new Error(errors[0].message);
    if (action.kind === "delete") return noBody;
    if (action.kind === "count") return data.allTasks.totalCount;
    if (action.kind === "list") return data.allTasks.nodes.map(renameFields);
    const [value] = Object.values(data) as [{ task?: Row } & Row];
    return [renameFields(value.task ?? value)];
  },
};

function post(query: string, variables: object): HttpRequest {
  return {
    method: "POST",
    path: "/graphql",
    headers: json,
    body: JSON.stringify({ query, variables }),
  };
}

function renameFields({ userByUserId, ...row }: Row): Row {
  const rename = (value: Row, names: Record<string, string>) =>
    Object.fromEntries(Object.entries(value).map(([name, one]) => [names[name] ?? name, one]));
  const users = userByUserId ? { users: rename(userByUserId as Row, userFields) } : {};
  return { ...rename(row, fields), ...users };
}
