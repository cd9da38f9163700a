import { ApiError, type Rowhouse } from "../../../client/index.ts";
import { connect, type Person } from "./api.ts";

/** What can be tried on another's row. */
export type Kind = "read" | "change" | "delete" | "create";

/** The row that an attempt is after. */
export interface Target {
  readonly id: string;
  /** In whose name a row is created. */
  readonly owner: string;
}

/** What an attempt sent, and what came of it. */
export interface Answer {
  /** "GET /tasks?select=*&id=eq.…" */
  readonly request: string;
  readonly body: object | undefined;
  readonly status: number;
  /** Undefined when the API did as it was told. */
  readonly error: ApiError | undefined;
}

/** Nobody has a row or a user with this id: it is made anew for each attempt. */
export function idOfNobody(): string {
  return crypto.randomUUID().replace(/^(.{14})./, "$17");
}

/** Tries as one person to reach a row, and tells exactly what the API answers. */
export async function attempt(actor: Person, kind: Kind, target: Target): Promise<Answer> {
  let request = "";
  let status = 0;
  const db = connect(actor.key, {
    onRequest: (event) => {
      const { pathname, search } = new URL(event.url);
      request = `${event.method} ${pathname}${search}`;
      status = event.status;
    },
  });
  const body = bodies[kind](actor, target);
  const error = await send[kind](db, target.id, body).then(() => undefined, failureIn);
  return { request, body, status, error };
}

/** All of a person's rows, to be compared later. */
export async function snapshot({ db }: Person): Promise<string> {
  const tasks = [];
  for await (const task of db.tasks.all()) tasks.push(task);
  return JSON.stringify(tasks);
}

interface Body {
  title: string;
  user_id?: string;
}

const bodies: Record<Kind, (actor: Person, target: Target) => Body | undefined> = {
  read: () => undefined,
  change: ({ name }) => ({ title: `${name} was here` }),
  delete: () => undefined,
  create: ({ name }, { owner }) => ({ title: `${name} was here`, user_id: owner }),
};

/**
 * The collection `db.tasks` names its user in every request, so it cannot even ask for another's
 * row. `db.rest` is the API bare: what stands in the way here is the database alone.
 */
const send: Record<Kind, (db: Rowhouse, id: string, body: Body | undefined) => Promise<unknown>> = {
  read: async ({ rest }, id) => rest.from("tasks").select().eq("id", id).single().throwOnError(),
  change: async ({ rest }, id, body = { title: "" }) =>
    rest.from("tasks").update(body).eq("id", id).select().single().throwOnError(),
  delete: async ({ rest }, id) =>
    rest.from("tasks").delete().eq("id", id).select().single().throwOnError(),
  create: async ({ rest }, _id, body = { title: "" }) =>
    rest.from("tasks").insert(body).throwOnError(),
};

function failureIn(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
