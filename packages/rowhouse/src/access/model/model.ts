import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { openProject } from "../../lib/project.ts";
import { readableName } from "../../lib/readable-name.ts";
import { type ApiNames, readApiNames } from "../../stack/api-names.ts";
import { readOwnerColumns } from "./owner-columns.ts";

/** What can be done with a row. */
export type Verb = "select" | "insert" | "update" | "delete";

/** The verbs, in the order in which they are shown. */
export const verbs: readonly Verb[] = ["select", "insert", "update", "delete"];

/** The name of a role that a request can have. */
export type ApiRole = string;

/** A policy, as `pg_policy` holds it. */
export interface Policy {
  readonly name: string;
  readonly permissive: boolean;
  readonly verb: Verb | "all";
  /** As written: role names, or "public". */
  readonly roles: readonly string[];
  /** The roles of the API that it applies to, by name, by membership or through "public". */
  readonly appliesTo: readonly ApiRole[];
  /** SQL; every name is written with its schema. Null where there is none. */
  readonly using: string | null;
  readonly check: string | null;
  readonly comment: string | null;
}

/** What a role may do with a table at all, before any policy. */
interface Grant {
  readonly role: ApiRole;
  readonly verb: Verb;
  /** The columns; null when not granted at all. Empty for delete, which knows no columns. */
  readonly columns: readonly string[] | null;
}

/** A column of a table or view. */
interface Column {
  readonly name: string;
  readonly type: string;
  /** SQL; every name is written with its schema. Null where there is none. */
  readonly default: string | null;
  /** Whether its default computes it from the others, and no one can write it. */
  readonly generated: boolean;
  /** Whether PostgreSQL numbers it, and no one can write it. */
  readonly identity: boolean;
}

/** A table or view that PostgREST exposes. */
export interface Relation {
  readonly schema: string;
  /** Without its schema. */
  readonly name: string;
  /** "api.tasks": in quotes where it has anything but small letters in it. */
  readonly fullName: string;
  /** The same without the schema where that is the default one. */
  readonly label: string;
  /** The search path of a request for it. */
  readonly searchPath: readonly string[];
  /** The column that holds the user whose row it is: a foreign key leads to the users, or it is user_id. */
  readonly owner: string | null;
  readonly kind: "table" | "view" | "materialized view" | "foreign table";
  readonly comment: string | null;
  /** Whether it is a view that reads with the caller's rights, and not with its owner's. */
  readonly asksAsInvoker: boolean;
  /** The roles that may use its schema; to the others its grants mean nothing. */
  readonly usableBy: readonly ApiRole[];
  readonly rowSecurity: boolean;
  readonly forced: boolean;
  /** The roles that row-level security never holds: superusers, and those with BYPASSRLS. */
  readonly bypassedBy: readonly ApiRole[];
  /** The roles with its owner's rights, whom row-level security holds when it is forced. */
  readonly ownedBy: readonly ApiRole[];
  readonly columns: readonly Column[];
  /** The columns of the primary key, in its order; empty when there is none. */
  readonly key: readonly string[];
  readonly grants: readonly Grant[];
  readonly policies: readonly Policy[];
}

/** A function of ours; those in the exposed schemas are served as /rpc/<name>. */
export interface ApiFunction {
  readonly schema: string;
  readonly name: string;
  /** "api.me()": with schema and the types of its arguments. */
  readonly signature: string;
  readonly returns: string;
  readonly security: "definer" | "invoker";
  /** Null when it is the caller's. */
  readonly searchPath: string | null;
  readonly volatility: "immutable" | "stable" | "volatile";
  readonly executableBy: readonly ApiRole[];
  readonly comment: string | null;
}

/** Who may do what, in one database. */
export interface AccessModel {
  /** The schemas and roles that it is about. */
  readonly names: ApiNames;
  readonly relations: readonly Relation[];
  readonly functions: readonly ApiFunction[];
}

/** A table or view by its label: its name, with the schema where that is not the default one. */
export function findRelation(model: AccessModel, label: string): Relation | undefined {
  return model.relations.find((relation) => relation.label === label);
}

const query = readFileSync(join(import.meta.dirname, "model.sql"), "utf8");

type Read = Omit<Relation, "fullName" | "label" | "searchPath">;

/**
 * Reads who may do what. It writes nothing, and leaves the search path empty.
 *
 * @param given The schemas and roles; those of the project unless they are given.
 */
export async function readAccess(client: pg.ClientBase, given?: ApiNames): Promise<AccessModel> {
  const names = given ?? (await readApiNames(client, openProject()));
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set search_path = ''");
  const owners = await readOwnerColumns(client, names);
  const { rows } = await client.query<{
    model: { relations: readonly Read[]; functions: readonly ApiFunction[] };
  }>(query, [names.schemas, names.roles, owners.relations, owners.numbers]);
  const { relations, functions } = rows[0]?.model ?? { relations: [], functions: [] };
  return { names, relations: relations.map((one) => addNames(one, names)), functions };
}

function addNames(relation: Read, { schemas, extraSearchPath }: ApiNames): Relation {
  const { schema, name } = relation;
  const fullName = `${readableName(schema)}.${readableName(name)}`;
  return {
    ...relation,
    fullName,
    label: schema === schemas[0] ? readableName(name) : fullName,
    searchPath: [schema, ...extraSearchPath],
  };
}
