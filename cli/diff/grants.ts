import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withClient } from "../stack/database.ts";
import { groupBy } from "./group.ts";

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
  /** "table api.tasks", "column api.tasks.title", "function api.me()". */
  readonly objects: ReadonlySet<string>;
}

const read = (file: string) => readFileSync(join(import.meta.dirname, file), "utf8");

/** Reads who holds which privilege. */
export async function readPrivileges(url: string): Promise<Privileges> {
  return withClient(url, async (client) => {
    await client.query("set search_path = ''");
    const { rows: held } = await client.query<Privilege>(read("grants.sql"));
    const { rows: objects } = await client.query<{ name: string }>(read("objects.sql"));
    return { held, objects: new Set(objects.map(({ name }) => name)) };
  });
}

/** The GRANT and REVOKE statements that lead from what is held on one side to the other. */
export function grantStatements(from: Privileges, to: Privileges): string[] {
  const revoked = without(from.held, to.held).filter((one) => to.objects.has(objectOf(one)));
  const granted = without(to.held, from.held).filter((one) => !isGivenAnyway(one, from));
  return [...statements("revoke", revoked), ...statements("grant", granted)];
}

/** PostgreSQL gives everybody the use of a new type; a new function it gives to nobody here. */
function isGivenAnyway(one: Privilege, before: Privileges): boolean {
  return one.type === "type" && one.role === "public" && !before.objects.has(objectOf(one));
}

function without(some: readonly Privilege[], others: readonly Privilege[]): Privilege[] {
  const known = new Set(others.map((one) => JSON.stringify(one)));
  return some.filter((one) => !known.has(JSON.stringify(one)));
}

function objectOf({ type, name, column }: Privilege): string {
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
  const target = type === "table" ? name : `${type} ${name}`;
  const ending = verb === "grant" ? `to ${role}` : `from ${role}`;
  const option = grantable && verb === "grant" ? " with grant option" : "";
  const parts = [...groupBy(group, ({ privilege }) => privilege)]
    .sort(([one], [other]) => order.indexOf(one) - order.indexOf(other))
    .map(([privilege, some]) => privilege + columnsOf(some));
  const list =
    parts.length === 1 ? ` ${parts[0]} ` : `\n${parts.map((part) => `  ${part}`).join(",\n")}\n`;
  return `${verb}${list}on ${target} ${ending}${option}`;
}

function columnsOf(privileges: readonly Privilege[]): string {
  const columns = privileges.flatMap(({ column }) => (column === null ? [] : [column]));
  return columns.length > 0 ? ` (${columns.join(", ")})` : "";
}
