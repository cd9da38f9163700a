import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import type { ApiRole } from "./model.ts";
import { assertSeesRows } from "./session.ts";

/** The claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who sends a request: its role, and the claims of its token. */
export interface Caller {
  readonly role: ApiRole;
  /** Null for anonymous. */
  readonly id: string | null;
  readonly email: string | null;
  /** A name for people: the email address, else the id. */
  readonly label: string;
  /** Of the token, as JSON values. */
  readonly claims: Claims;
}

/** A request without a token: PostgREST sets exactly this claim. */
export const anonymous: Caller = {
  role: "anonymous",
  id: null,
  email: null,
  label: "anonymous",
  claims: { role: "anonymous" },
};

/** A request with the token of a user. */
export function userCaller({ id, email }: { id: string; email: string | null }): Caller {
  const claims = { role: "authenticated", sub: id, ...(email === null ? {} : { email }) };
  return { role: "authenticated", id, email, label: email ?? id, claims };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds who is meant.
 *
 * @param as An email address, a user's id, or "anonymous".
 * @throws RowhouseError user_unknown, user_ambiguous, rows_hidden
 */
export async function findCaller(client: pg.ClientBase, as: string): Promise<Caller> {
  if (as === "anonymous") return anonymous;
  if (as.trim() === "") {
    throw new RowhouseError(
      "user_unknown",
      "--as names no user: it is empty.",
      "Give an email address or id that api.users has, or anonymous.",
    );
  }
  await assertSeesRows(client, "users");
  const column = uuid.test(as) ? "id" : "email";
  const { rows } = await client.query<{ id: string; email: string | null }>(
    `select id, email from api.users where ${column} = $1 order by id limit 10`,
    [as],
  );
  const [user, another] = rows;
  if (user === undefined) {
    throw new RowhouseError(
      "user_unknown",
      `No user has the ${column === "id" ? "id" : "email address"} ${as}.`,
      "Give an email address or id that api.users has, or anonymous.",
    );
  }
  if (another !== undefined) {
    throw new RowhouseError(
      "user_ambiguous",
      `Several users have the email address ${as}: ${rows.map(({ id }) => id).join(", ")}${rows.length === 10 ? " ..." : ""}.`,
      "Give the id of one of them.",
    );
  }
  return userCaller(user);
}

/**
 * Makes the rest of the transaction, or of its savepoint, act as a caller, as PostgREST does.
 *
 * @param asRole Whether to take the caller's role, too; else only the claims.
 */
export async function actAs(client: pg.ClientBase, caller: Caller, asRole: boolean): Promise<void> {
  await client.query("select set_config('request.jwt.claims', $1, true)", [
    JSON.stringify(caller.claims),
  ]);
  if (asRole) await client.query(`set local role ${caller.role}`);
}
