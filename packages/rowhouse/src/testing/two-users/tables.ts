import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { openProject } from "../../lib/project.ts";
import { readableName } from "../../lib/readable-name.ts";
import { type ApiNames, readApiNames } from "../../stack/api-names.ts";

/** A column, as far as a value for it can be made up. */
export interface Column {
  readonly name: string;
  /** Without length or precision; of a domain, the type under it. */
  readonly type: string;
  readonly domain: string | null;
  /** The type of an array's elements. */
  readonly element: string | null;
  /** The labels of an enum. */
  readonly labels: readonly string[] | null;
  readonly maxLength: number | null;
  /** How many digits a number may have before its point. */
  readonly digits: number | null;
  /** It takes no null and has no default. */
  readonly required: boolean;
  readonly hasDefault: boolean;
  /** Whether a value can be given for it at all. */
  readonly writable: boolean;
  /** The check constraints that it is part of, as SQL. */
  readonly checks: readonly string[];
}

/** A foreign key. */
interface ForeignKey {
  readonly columns: readonly string[];
  readonly schema: string;
  readonly table: string;
  /** The columns that are referred to, in the order of `columns`. */
  readonly targets: readonly string[];
}

/** A table, and what the role of a user's token may do with it. */
export interface Table {
  readonly schema: string;
  readonly name: string;
  /** The columns of the primary key, in its order. */
  readonly key: readonly string[];
  readonly columns: readonly Column[];
  /** Which columns a constraint or unique index is about. */
  readonly constraints: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly grants: {
    readonly select: readonly string[];
    readonly insert: readonly string[];
    readonly update: readonly string[];
    readonly delete: boolean;
  };
}

/** A table whose rows belong to one user each. */
export interface OwnedTable extends Table {
  /** The column that holds the owner's id. */
  readonly owner: string;
  /** The column that tells the rows of one owner apart; the table of users has one for both. */
  readonly id: string;
  /** Its name for people: "tasks", or "billing.invoices" where the schema is not the default one. */
  readonly label: string;
  /** The schema, where a request has to name it. */
  readonly profile: string | undefined;
}

/** The tables of a database. */
export interface Tables {
  readonly all: readonly Table[];
  /** Those whose key is (owner, id), by name. */
  readonly owned: readonly OwnedTable[];
  /** The table that the owner columns refer to, if there is one. */
  readonly users: OwnedTable | undefined;
  /** The schemas that the API serves, the first one without being asked for it. */
  readonly exposedSchemas: readonly string[];
  /** The role of a user's token; undefined when requests have none but the anonymous one. */
  readonly role: string | undefined;
}

const query = readFileSync(join(import.meta.dirname, "tables.sql"), "utf8");

/** Reads which tables there are. It leaves the search path empty. */
export async function readTables(client: pg.ClientBase): Promise<Tables> {
  const names = await readApiNames(client, openProject());
  const { user: role, anonymous } = names;
  await client.query("set search_path = ''");
  const { rows } = await client.query<{ tables: Table[] }>(query, [role ?? anonymous ?? "public"]);
  const all = rows[0]?.tables ?? [];
  const owned = role === undefined ? [] : all.flatMap((table) => asOwned(table, names));
  const users = findUsers(all, owned, names);
  return { all, owned, users, exposedSchemas: names.schemas, role };
}

/** Owned is a table whose key is (owner, id), with an owner who is named so or refers to a user. */
function asOwned(table: Table, names: ApiNames): OwnedTable[] {
  const { schemas, usersTable } = names;
  const [owner, id, ...rest] = table.key;
  if (!schemas.includes(table.schema) || rest.length > 0) return [];
  if (owner === undefined || id?.toLowerCase() !== "id") return [];
  const refersToUser = table.foreignKeys.some(
    ({ columns, schema, table: target }) =>
      columns.length === 1 &&
      columns[0] === owner &&
      `${schema}.${target}` === withoutQuotes(usersTable ?? ""),
  );
  return owner === "user_id" || refersToUser ? [toOwned(table, owner, id, names)] : [];
}

function toOwned(table: Table, owner: string, id: string, { schemas }: ApiNames): OwnedTable {
  const { schema, name } = table;
  const isDefault = schema === schemas[0];
  return {
    ...table,
    owner,
    id,
    label: (isDefault ? [name] : [schema, name]).map(readableName).join("."),
    profile: isDefault ? undefined : schema,
  };
}

function withoutQuotes(name: string): string {
  return name.replace(/"((?:[^"]|"")*)"/g, (_, part: string) => part.replaceAll('""', '"'));
}

function findUsers(
  all: readonly Table[],
  owned: readonly OwnedTable[],
  names: ApiNames,
): OwnedTable | undefined {
  const reference = owned
    .flatMap(({ owner, foreignKeys }) =>
      foreignKeys.filter(({ columns }) => columns.length === 1 && columns[0] === owner),
    )
    .at(0);
  if (reference === undefined) return undefined;
  const users = findTable(all, reference.schema, reference.table);
  const [id] = reference.targets;
  return users && id !== undefined ? toOwned(users, id, id, names) : undefined;
}

/** A table by its name. */
export function findTable<T extends Table>(
  tables: readonly T[],
  schema: string,
  name: string,
): T | undefined {
  return tables.find((table) => table.schema === schema && table.name === name);
}

/** A table's name in SQL. */
export function sqlName({ schema, name }: Pick<Table, "schema" | "name">): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}
