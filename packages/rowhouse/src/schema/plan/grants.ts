import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "../../lib/project.ts";
import { withClient } from "../../stack/database.ts";
import { type DefaultPrivilege, readDefaultPrivileges } from "./default-privileges.ts";
import { groupBy } from "./group.ts";
import { isOfPlatform } from "./platform.ts";

/** One privilege of one role on one object or column. */
interface Privilege {
  /** "table", "function", "schema" ...: the word that GRANT wants. */
  readonly type: string;
  readonly name: string;
  readonly column: string | null;
  readonly role: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** All privileges in a database, and which objects it has. */
export interface Privileges {
  readonly held: readonly Privilege[];
  readonly defaults: readonly DefaultPrivilege[];
  /** "table api.tasks", "column api.tasks.title", "function api.me()": each with its schema. */
  readonly objects: ReadonlyMap<string, string | null>;
}

const read = (file: string) => readFileSync(join(import.meta.dirname, file), "utf8");

/** Reads who holds which privilege. */
export async function readPrivileges(url: string, platform: Platform): Promise<Privileges> {
  return withClient(url, async (client) => {
    await client.query("set search_path = ''");
    const { rows: held } = await client.query<Privilege>(read("grants.sql"));
    const defaults = await readDefaultPrivileges(client, platform);
    const { rows: objects } = await client.query<{ name: string; schema: string | null }>(
      read("objects.sql"),
    );
    const isOwn = (name: string) => !isOfPlatform(name, platform) && !isOfDbmate(name);
    return {
      held: held.filter(({ name, role }) => isOwn(name) && !platform.roles.includes(role)),
      defaults,
      objects: new Map(
        objects
          .filter(({ name }) => isOwn(name.replace(/^\S+ /, "")))
          .map(({ name, schema }) => [name, schema]),
      ),
    };
  });
}

/** Default privileges of the schema public open its table, too. */
function isOfDbmate(name: string): boolean {
  return /^public\.schema_migrations(\.|$)/.test(name);
}

/**
 * The GRANT and REVOKE statements that lead from what is held on one side to the other.
 *
 * @param defaults Default privileges that may count already when an object is made: what is declared is built in
 *   any order.
 */
export function grantStatements(
  from: Privileges,
  to: Privileges,
  defaults: readonly DefaultPrivilege[] = from.defaults,
): string[] {
  // Default privileges are changed last, so that new objects get those of before.
  const made = [...to.objects].filter(([name]) => !from.objects.has(name));
  const starts = [from.defaults, defaults].map((some) => [...from.held, ...givenTo(made, some)]);
  const revoked = union(
    starts.map((held) => without(held, to.held).filter((one) => to.objects.has(objectName(one)))),
  );
  const isLeft = (one: Privilege) => !revoked.some((other) => takesAlong(other, one));
  const granted = union(starts.map((held) => without(to.held, held.filter(isLeft))));
  return [...statements("revoke", revoked), ...statements("grant", granted)];
}

function union(lists: readonly (readonly Privilege[])[]): Privilege[] {
  return [...new Map(lists.flat().map((one) => [JSON.stringify(one), one])).values()];
}

/** A privilege that is revoked on a table is revoked on its columns, too (manual, REVOKE). */
function takesAlong(revoked: Privilege, one: Privilege): boolean {
  const { type, name, role, privilege } = revoked;
  const isOfTable = type === "table" && revoked.column === null && one.column !== null;
  return isOfTable && one.name === name && one.role === role && one.privilege === privilege;
}

/** How GRANT calls one of the objects that default privileges are about. */
const types: Record<string, readonly string[]> = {
  tables: ["table"],
  sequences: ["sequence"],
  functions: ["function", "procedure"],
  types: ["type"],
  schemas: ["schema"],
};

/** What default privileges grant on new objects. */
function givenTo(
  made: readonly (readonly [object: string, schema: string | null])[],
  defaults: readonly DefaultPrivilege[],
): Privilege[] {
  const theirs = defaults.filter(({ creator, own }) => creator === null && !own);
  return made.flatMap(([object, place]) => {
    const [type = ""] = object.split(" ", 1);
    const name = object.slice(type.length + 1);
    return theirs
      .filter(
        ({ objects, schema }) => types[objects]?.includes(type) && (schema ?? place) === place,
      )
      .map(({ role, privilege, grantable }) => {
        return { type, name, column: null, role, privilege, grantable };
      });
  });
}

function without(some: readonly Privilege[], others: readonly Privilege[]): Privilege[] {
  const known = new Set(others.map((one) => JSON.stringify(one)));
  return some.filter((one) => !known.has(JSON.stringify(one)));
}

function objectName({ type, name, column }: Privilege): string {
  return column === null ? `${type} ${name}` : `column ${name}.${column}`;
}

/** One statement for each object and role, as a person writes it. */
function statements(verb: "grant" | "revoke", privileges: readonly Privilege[]): string[] {
  const key = ({ type, name, role, grantable }: Privilege) =>
    JSON.stringify([type, name, role, grantable]);
  return [...groupBy(privileges, key).values()].map((group) => statement(verb, group));
}

const order = ["select", "insert", "update", "delete"];

function statement(verb: "grant" | "revoke", group: readonly Privilege[]): string {
  const [{ type, name, role, grantable }] = group as [Privilege];
  const target = type === "table" ? name : `${type} ${name.replace(/,(?=\S)/g, ", ")}`;
  const ending = verb === "grant" ? `to ${role}` : `from ${role}`;
  const option = grantable && verb === "grant" ? " with grant option" : "";
  const parts = [...groupBy(group, ({ privilege }) => privilege)]
    .sort(([one], [other]) => order.indexOf(one) - order.indexOf(other))
    .map(([privilege, some]) => privilege + formatColumns(some));
  const list =
    parts.length === 1 ? ` ${parts[0]} ` : `\n${parts.map((part) => `  ${part}`).join(",\n")}\n`;
  return `${verb}${list}on ${target} ${ending}${option}`;
}

function formatColumns(privileges: readonly Privilege[]): string {
  const columns = privileges.flatMap(({ column }) => (column === null ? [] : [column]));
  return columns.length > 0 ? ` (${columns.join(", ")})` : "";
}
