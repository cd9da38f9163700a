import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { anonymous, type Caller, findCaller, userCaller } from "../model/caller.ts";
import type { Relation } from "../model/model.ts";
import { sqlName } from "../model/names.ts";
import { assertSeesRows } from "../model/session.ts";

/** The callers that a rehearsal checks, and how many users they are of how many. */
export interface SampledUsers {
  readonly callers: readonly Caller[];
  readonly users: number;
  readonly total: number;
}

/** A user who has just signed in and owns nothing: anyone who may sign up can be that. */
export const newUser: Caller = {
  ...userCaller({ id: "00000000-0000-7000-8000-000000000000", email: null }),
  id: null,
  label: "a new user",
};

const newestUsers = readFileSync(join(import.meta.dirname, "newest_users.sql"), "utf8");

/**
 * Chooses the callers to check: anonymous, a new user, and all users, or when there are too many,
 * half those who own the most rows in the tables, and half the newest.
 *
 * @param names The callers to check instead; none chooses.
 * @param most How many users at most.
 * @throws RowhouseError user_unknown, user_ambiguous, rows_hidden
 */
export async function sampleUsers(
  client: pg.ClientBase,
  tables: readonly Relation[],
  names: readonly string[],
  most: number,
): Promise<SampledUsers> {
  await assertSeesRows(client, "users");
  const total = await readNewest(client, [], 1).then(([user]) => user?.total ?? 0);
  if (names.length > 0) {
    const callers: Caller[] = [];
    for (const name of names) callers.push(await findCaller(client, name));
    return { callers, users: callers.filter(({ id }) => id !== null).length, total };
  }
  const owners = total > most ? await largestOwners(client, tables, Math.ceil(most / 2)) : [];
  const others = await readNewest(
    client,
    owners.map(({ id }) => id),
    most - owners.length,
  );
  const users = distinct([...owners, ...others].map(userCaller));
  return { callers: [anonymous, newUser, ...users], users: users.length, total };
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

interface User {
  readonly id: string;
  readonly email: string | null;
}

async function readNewest(client: pg.ClientBase, less: readonly string[], most: number) {
  return (await client.query<User & { total: number }>(newestUsers, [less, most])).rows;
}

async function largestOwners(
  client: pg.ClientBase,
  tables: readonly Relation[],
  most: number,
): Promise<User[]> {
  const counts = new Map<string, User & { rows: number }>();
  for (const { name } of tables.filter(isOwned)) {
    const text = `select id, email, owned.rows from api.users as users
      join (select user_id, count(*)::int as rows from ${sqlName(name)} group by user_id) as owned on owned.user_id = users.id order by owned.rows desc, id limit $1`;
    const { rows } = await client.query<User & { rows: number }>(text, [most]);
    for (const user of rows) {
      counts.set(user.id, { ...user, rows: user.rows + (counts.get(user.id)?.rows ?? 0) });
    }
  }
  const largest = [...counts.values()].sort((a, b) => b.rows - a.rows || (a.id < b.id ? -1 : 1));
  return largest.slice(0, most);
}

function isOwned({ kind, columns }: Relation): boolean {
  return (
    kind === "table" && columns.some(({ name, type }) => name === "user_id" && type === "uuid")
  );
}
