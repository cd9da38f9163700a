import { ApiError, type Rowhouse } from "../../../client/index.ts";
import type { Person } from "./api.ts";
import { connect } from "./people.ts";

/** An operation to attempt on another user's row. */
export type Kind = "read" | "change" | "delete" | "create";

/** The row that an attempt targets. */
export interface Target {
  readonly id: string;
  /** The user id that a created row gets. */
  readonly owner: string;
}

/** The request of an attempt, and its outcome. */
export interface Answer {
  /** "GET /tasks?select=*&id=eq.…" */
  readonly request: string;
  readonly body: object | undefined;
  readonly status: number;
  /** Undefined when the API allowed it. */
  readonly error: ApiError | undefined;
}

/** A new id for each attempt, which no row and no user has. */
export function createUnusedId(): string {
  return crypto.randomUUID().replace(/^(.{14})./, "$17");
}

/** Attempts an operation as one person, and returns exactly what the API responds. */
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
  const error = await send[kind](db, target.id, body).then(() => undefined, asApiError);
  return { request, body, status, error };
}

/** All rows of a person, as text to compare. */
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
 * The collection `db.tasks` filters by its user in every request, so it cannot even ask for another
 * user's row. `db.rest` has no such filter: here only the database denies access.
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

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
