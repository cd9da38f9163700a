import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { Platform } from "../../lib/project.ts";
import { groupBy } from "./group.ts";
import { readOwner } from "./owner.ts";

/** One privilege that a role gets on everything of a kind that another one creates. */
export interface DefaultPrivilege {
  /** Who creates; null is the owner, which is the role that runs the migrations. */
  readonly creator: string | null;
  /** "tables", "functions" ... */
  readonly objects: string;
  /** Where it is created; null is every schema. */
  readonly schema: string | null;
  /** Whether it was ever declared: if not, it is what PostgreSQL grants by itself. */
  readonly changed: boolean;
  readonly role: string;
  readonly privilege: string;
  readonly grantable: boolean;
  /** Whether it is the creator that gets it. */
  readonly own: boolean;
}

const query = readFileSync(join(import.meta.dirname, "default-privileges.sql"), "utf8");

/** Reads the default privileges of a database. */
export async function readDefaultPrivileges(
  client: pg.ClientBase,
  platform: Platform,
): Promise<DefaultPrivilege[]> {
  const owner = await readOwner(client);
  const { rows } = await client.query<DefaultPrivilege>(query, [owner]);
  const { roles, schemas } = platform;
  return rows.filter(
    ({ creator, schema, role }) =>
      !roles.includes(creator ?? "") && !schemas.includes(schema ?? "") && !roles.includes(role),
  );
}

/**
 * The `alter default privileges` statements that lead from one side to the other.
 *
 * @param hasSchema Whether a schema is there at the end: with a schema goes what is declared for it.
 */
export function defaultPrivilegeStatements(
  from: readonly DefaultPrivilege[],
  to: readonly DefaultPrivilege[],
  hasSchema: (schema: string) => boolean,
): string[] {
  // What PostgreSQL grants by itself counts only where the other side has other ones.
  const touched = new Set([...from, ...to].filter(({ changed }) => changed).map(getPlace));
  const isTouched = (one: DefaultPrivilege) =>
    touched.has(getPlace(one)) && (one.schema === null || hasSchema(one.schema));
  const [old, now] = [[...from, ...builtIn(from, to)].filter(isTouched), to.filter(isTouched)];
  return [...statements("revoke", old, now), ...statements("grant", now, old)];
}

/**
 * The default privileges that count for the role which runs a migration, where a declared role has its
 * name: `for role postgres` changes those of the superuser who tries it, too.
 *
 * @param from Those of an empty database.
 * @param to Those that are declared.
 * @param runner The role, as SQL writes it.
 */
export function effectiveDefaults(
  from: readonly DefaultPrivilege[],
  to: readonly DefaultPrivilege[],
  runner: string,
): DefaultPrivilege[] {
  const own = to.filter(({ creator }) => creator === null);
  const named = to
    .filter(({ creator, changed }) => creator === runner && changed)
    .map((one) => ({ ...one, creator: null }));
  const getKey = (one: DefaultPrivilege) =>
    JSON.stringify([getPlace(one), one.role, one.privilege, one.grantable]);
  const begun = new Set(from.filter(({ creator }) => creator === null).map(getKey));
  const [ofOwn, ofNamed] = [new Set(own.map(getKey)), new Set(named.map(getKey))];
  const touched = new Set(named.map(getPlace));
  const all = new Map([...own, ...named].map((one) => [getKey(one), one]));
  // What either takes away of the built-in ones is taken away, and what either gives is given.
  return [...all].flatMap(([key, one]) =>
    !touched.has(getPlace(one)) || !begun.has(key) || (ofOwn.has(key) && ofNamed.has(key))
      ? [one]
      : [],
  );
}

/** What PostgreSQL grants by itself on what roles create that one side does not have yet. */
function builtIn(
  from: readonly DefaultPrivilege[],
  to: readonly DefaultPrivilege[],
): DefaultPrivilege[] {
  const known = new Set(from.map(getPlace));
  const others = to.filter((one) => one.schema === null && !known.has(getPlace(one)));
  const places = new Map(others.map((one) => [getPlace(one), one]));
  const toAll = [...places.values()].flatMap((one): DefaultPrivilege[] => {
    const privilege = grantedToAll[one.objects];
    if (privilege === undefined) return [];
    return [{ ...one, role: "public", privilege, grantable: false, own: false }];
  });
  return [...others.filter(({ own }) => own), ...toAll];
}

/** acldefault() for all users (PUBLIC), by what is created. */
const grantedToAll: Readonly<Record<string, string>> = { functions: "execute", types: "usage" };

function getPlace({ creator, objects, schema }: DefaultPrivilege): string {
  return JSON.stringify([creator, objects, schema]);
}

function statements(
  verb: "grant" | "revoke",
  some: readonly DefaultPrivilege[],
  others: readonly DefaultPrivilege[],
): string[] {
  const getTarget = (one: DefaultPrivilege) =>
    JSON.stringify([getPlace(one), one.role, one.grantable]);
  const getKey = (one: DefaultPrivilege) => getTarget(one) + one.privilege;
  const known = new Set(others.map(getKey));
  const left = some.filter((one) => !known.has(getKey(one)));
  return [...groupBy(left, getTarget).values()].map((group) => statement(verb, group));
}

function statement(verb: "grant" | "revoke", group: readonly DefaultPrivilege[]): string {
  const [{ creator, objects, schema, role, grantable }] = group as [DefaultPrivilege];
  return [
    "alter default privileges",
    ...(creator === null ? [] : [`for role ${creator}`]),
    ...(schema === null ? [] : [`in schema ${schema}`]),
    verb,
    group.map(({ privilege }) => privilege).join(", "),
    `on ${objects}`,
    verb === "grant" ? `to ${role}` : `from ${role}`,
    ...(grantable && verb === "grant" ? ["with grant option"] : []),
  ].join(" ");
}
