import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import { stringifyJson } from "../../lib/json.ts";
import type { ApiNames } from "../../stack/api-names.ts";
import { queryUsers } from "../../stack/users.ts";
import { formatLikePostgrest } from "./claim-numbers.ts";
import type { ApiRole } from "./model.ts";
import { assertSeesRows } from "./session.ts";

/** The claims of a token, with numbers as parseJson gives them. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who sends a request: its role, and the claims of its token. */
export interface Caller {
  readonly role: ApiRole;
  /** Null without a token, or without the claim sub. */
  readonly id: string | null;
  readonly email: string | null;
  /** A name for people: the email address, else the id. */
  readonly label: string;
  /** Of the token, as JSON values. */
  readonly claims: Claims;
}

/** A user, as the project's SQL of the users gives them. */
export interface User {
  readonly id: string;
  readonly email: string | null;
  /** Further claims of their tokens; null where the project's SQL gives none. */
  readonly claims: Claims | null;
}

/** A request without a token: PostgREST sets exactly this claim. */
export function anonymousCaller(role: ApiRole): Caller {
  return { role, id: null, email: null, label: role, claims: { role } };
}

/** A request with the token of a user. */
export function userCaller(
  { id, email, claims: more }: Omit<User, "claims"> & Partial<User>,
  role: ApiRole,
): Caller {
  const claims = { ...more, role, sub: id, ...(email === null ? {} : { email }) };
  return { role, id, email, label: email ?? id, claims };
}

/**
 * A request with a token of any claims, as PostgREST takes it: without a role it is an anonymous one.
 *
 * @throws RowhouseError claims_invalid when no request can have that role.
 */
export function claimsCaller({ roles, anonymous }: ApiNames, claims: Claims): Caller {
  const role = claims.role ?? anonymous;
  if (typeof role !== "string" || !roles.includes(role)) {
    throw new RowhouseError(
      "claims_invalid",
      role === undefined
        ? "The claims name no role, and requests without one are refused."
        : `The claims name the role ${stringifyJson(role)}, which no request can have.`,
      `Give the claim role one of ${roles.join(", ")}.`,
    );
  }
  const text = (value: unknown) => (value === undefined || value === null ? null : `${value}`);
  const [id, email] = [text(claims.sub), text(claims.email)];
  return { role, id, email, label: email ?? id ?? "this token", claims: { ...claims, role } };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds who is meant.
 *
 * @param as An email address, a user's id, or the name of the anonymous role.
 * @throws RowhouseError user_unknown, user_ambiguous, rows_hidden; settings_invalid when the project's
 *   query of the users fails.
 */
export async function findCaller(
  client: pg.ClientBase,
  names: ApiNames,
  as: string,
): Promise<Caller> {
  const { anonymous, user: role } = names;
  if (as === anonymous || as === "anonymous") {
    if (anonymous !== undefined) return anonymousCaller(anonymous);
    throw userUnknown(names, "Requests without a token are refused: there is no anonymous role.");
  }
  if (as.trim() === "") throw userUnknown(names, "--as names no user: it is empty.");
  if (names.users === undefined || role === undefined) throw withoutUsers();
  await assertSeesUsers(client, names);
  const users = await searchUsers(client, names, as);
  const [user, another] = users;
  if (user === undefined) throw userUnknown(names, `No user has the ${nameKind(as)} ${as}.`);
  if (another !== undefined) {
    throw ambiguous(as, users);
  }
  return userCaller(user, role);
}

function ambiguous(as: string, users: readonly User[]): RowhouseError {
  const more = users.length === 10 ? " ..." : "";
  const list = (key: keyof User) => `${users.map((user) => user[key]).join(", ")}${more}`;
  return new Set(users.map(({ id }) => id)).size === 1
    ? new RowhouseError(
        "user_ambiguous",
        `Several rows of the users have the id ${as}, with the email addresses ${list("email")}.`,
        'Correct "users" in package.json: it has to give one row for each user.',
      )
    : new RowhouseError(
        "user_ambiguous",
        `Several users have the email address ${as}: ${list("id")}.`,
        "Give the id of one of them.",
      );
}

/** What a text can be that names a user. */
function nameKind(as: string): "id" | "email address" | "id or email address" {
  if (uuid.test(as)) return "id";
  return as.includes("@") ? "email address" : "id or email address";
}

/** By id, and where no user has that one, by email address. */
async function searchUsers(client: pg.ClientBase, names: ApiNames, as: string): Promise<User[]> {
  const kind = nameKind(as);
  const byId = kind === "email address" ? [] : await readUsers(client, names, "id", as);
  return kind === "id" || byId.length > 0 ? byId : readUsers(client, names, "email", as);
}

async function readUsers(
  client: pg.ClientBase,
  { users }: ApiNames,
  column: "id" | "email",
  value: string,
): Promise<User[]> {
  // PostgreSQL writes a UUID in small letters.
  const sought = uuid.test(value) ? value.toLowerCase() : value;
  return queryUsers<User>(
    client,
    `select id, email, claims from (${users}) as users where ${column} = $1 order by id collate "C" limit 10`,
    [sought],
  );
}

/** Makes sure that the role of a connection sees all users, where these are in a table. */
export async function assertSeesUsers(client: pg.ClientBase, names: ApiNames): Promise<void> {
  if (names.usersTable !== undefined) await assertSeesRows(client, names.usersTable);
}

function userUnknown({ usersTable, anonymous }: ApiNames, message: string): RowhouseError {
  const where = usersTable === undefined ? "of a user" : `that ${usersTable} has`;
  const other = anonymous === undefined ? "" : `, or ${anonymous}`;
  return new RowhouseError(
    "user_unknown",
    message,
    `Give an email address or id ${where}${other}.`,
  );
}

function withoutUsers(): RowhouseError {
  return new RowhouseError(
    "user_unknown",
    "It is not known where this project's users are: there is no table api.users, and neither a foreign key nor a policy refers to auth.users.",
    'Name them in package.json: "rowhouse": { "users": "schema.table" }. Or ask as any token: --claims.',
  );
}

/**
 * Makes the rest of the transaction, or of its savepoint, act as a caller, as PostgREST does.
 *
 * @param asRole Whether to take the caller's role, too; else only the claims.
 */
export async function actAs(client: pg.ClientBase, caller: Caller, asRole: boolean): Promise<void> {
  await client.query("select set_config('request.jwt.claims', $1, true)", [
    stringifyJson(caller.claims, { number: formatLikePostgrest }),
  ]);
  if (asRole) await client.query("select set_config('role', $1, true)", [caller.role]);
}
