import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";
import { queryUsers } from "../../stack/users.ts";
import {
  anonymousCaller,
  assertSeesUsers,
  type Caller,
  findCaller,
  type User,
  userCaller,
} from "../model/caller.ts";
import type { ApiRole, Relation } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";

/** The callers that a rehearsal checks, and how many users they are of how many. */
export interface SampledUsers {
  readonly callers: readonly Caller[];
  readonly users: number;
  readonly total: number;
}

/** An id that no user has. */
export const newUserId = "00000000-0000-7000-8000-000000000000";

/** A user who has just signed in and owns nothing: anyone who may sign up can be that. */
export function newUser(role: ApiRole): Caller {
  return { ...userCaller({ id: newUserId, email: null }, role), id: null, label: "a new user" };
}

const newestUsers = readFileSync(join(import.meta.dirname, "newest_users.sql"), "utf8");

/**
 * Chooses the callers to check: anonymous, a new user, and all users, or when there are too many,
 * half those who own the most rows in the tables, and half the newest. Where it is not known who the
 * users are, it is a token of each role without further claims.
 *
 * @param as The callers to check instead; none chooses.
 * @param users How many users at most.
 * @throws RowhouseError user_unknown, user_ambiguous, rows_hidden
 */
export async function sampleUsers(
  client: pg.ClientBase,
  names: ApiNames,
  tables: readonly Relation[],
  { as, users: most }: { readonly as: readonly string[]; readonly users: number },
): Promise<SampledUsers> {
  const role = names.user;
  const plain = names.roles.filter((one) => one !== role || names.users === undefined);
  await assertSeesUsers(client, names);
  const total = await readNewest(client, names, [], 1).then(([user]) => user?.total ?? 0);
  if (as.length > 0) {
    const callers: Caller[] = [];
    for (const name of as) callers.push(await findCaller(client, names, name));
    return { callers, users: callers.filter(({ id }) => id !== null).length, total };
  }
  const owners =
    total > most ? await largestOwners(client, names, tables, Math.ceil(most / 2)) : [];
  const others = await readNewest(
    client,
    names,
    owners.map(({ id }) => id),
    most - owners.length,
  );
  const found = [...owners, ...others];
  const users = role === undefined ? [] : distinct(found.map((user) => userCaller(user, role)));
  const callers = [
    ...plain.map(anonymousCaller),
    ...(role !== undefined && isUuid(found) && names.users !== undefined ? [newUser(role)] : []),
    ...users,
  ];
  return { callers, users: users.length, total };
}

/** The ids of users need not be like that of the new one: then a condition would fail. */
function isUuid(users: readonly User[]): boolean {
  return users.every(({ id }) => id.length === newUserId.length);
}

/** Gives those of one email address, which is not unique, labels with their ids. */
function distinct(users: readonly Caller[]): Caller[] {
  const shared = (email: string) => users.filter((user) => user.email === email).length > 1;
  return users.map((user) =>
    user.email !== null && shared(user.email)
      ? { ...user, label: `${user.email} (${user.id})` }
      : user,
  );
}

async function readNewest(
  client: pg.ClientBase,
  { users }: ApiNames,
  less: readonly string[],
  most: number,
): Promise<(User & { total: number })[]> {
  if (users === undefined) return [];
  return queryUsers(
    client,
    newestUsers.replace("/* users */", () => users),
    [less, most],
  );
}

async function largestOwners(
  client: pg.ClientBase,
  names: ApiNames,
  tables: readonly Relation[],
  most: number,
): Promise<User[]> {
  const counts = new Map<string, User & { rows: number }>();
  for (const table of tables) {
    if (table.kind !== "table" || table.owner === null) continue;
    const owner = quoteName(table.owner);
    const text = `select id, email, claims, owned.rows from (${names.users}) as users
      join (select ${owner}::text as owner, count(*)::int as rows from ${sqlName(table)} group by 1) as owned on owned.owner = users.id order by owned.rows desc, id limit $1`;
    const rows = await queryUsers<User & { rows: number }>(client, text, [most]);
    for (const user of rows) {
      counts.set(user.id, { ...user, rows: user.rows + (counts.get(user.id)?.rows ?? 0) });
    }
  }
  const largest = [...counts.values()].sort((a, b) => b.rows - a.rows || (a.id < b.id ? -1 : 1));
  return largest.slice(0, most);
}
