/**
 * What is known of the things in a catalog that more is asked of than whether they are equal: read
 * as data, and never from words. Names are as SQL writes them, in quotes where they need them.
 */
export interface FactsByKind {
  readonly policy: PolicyFacts;
  readonly table: TableFacts;
  readonly column: ColumnFacts;
  readonly grant: GrantFacts;
  /** What PostgreSQL grants by itself, and was taken away. */
  readonly revoke: GrantFacts;
  readonly "default privilege": DefaultPrivilegeFacts;
  readonly role: RoleFacts;
  readonly type: TypeFacts;
  readonly owner: OwnerFacts;
}

/** The kinds of things that are read as data. */
export type FactKind = keyof FactsByKind;

/** A policy. */
interface PolicyFacts {
  readonly policy: string;
  readonly table: string;
  readonly permissive: boolean;
  readonly command: "select" | "insert" | "update" | "delete" | "all";
  /** "public" is all users: no role can have that name. */
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
  /** What its conditions need: "function api.f(text)", "column api.tasks.title", "type api.state". */
  readonly needs: readonly string[];
}

/** A table, and what PostgreSQL keeps beside tables. */
interface TableFacts {
  readonly relation:
    | "table"
    | "partitioned table"
    | "foreign table"
    | "sequence"
    | "view"
    | "materialized view"
    | "composite type";
  readonly schema: string;
  /** A view's query, the key of a partitioned table, the numbers of a sequence. */
  readonly detail: string | null;
  /** The tables that it is a part of, and with which part. */
  readonly below: string | null;
  readonly rowSecurity: boolean;
  readonly forced: boolean;
  readonly options: readonly string[];
}

/** A column. */
interface ColumnFacts {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  /** Where it is not the type's own. */
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly identity: "always" | "by default" | null;
  /** How PostgreSQL computes it from the others. */
  readonly generated: "stored" | "virtual" | null;
  readonly statistics: number | null;
  readonly default: string | null;
}

/** One privilege of one role. */
export interface GrantFacts {
  /** "table", "table column", "function", "schema", "database" ... */
  readonly on: string;
  /** "api.tasks.title"; null for the database, which can have any name. */
  readonly object: string | null;
  readonly role: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** One privilege on what will be created. */
interface DefaultPrivilegeFacts {
  /** "owner" is whoever creates it. */
  readonly role: string;
  readonly own: boolean;
  readonly objects: string;
  /** Null is every schema. */
  readonly schema: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** A role. */
interface RoleFacts {
  readonly role: string;
  readonly login: boolean;
  readonly inherit: boolean;
  readonly superuser: boolean;
  readonly createRole: boolean;
  readonly createDatabase: boolean;
  readonly replication: boolean;
  readonly bypassRls: boolean;
  readonly connectionLimit: number | null;
  readonly settings: readonly string[];
  readonly memberOf: readonly string[];
}

/** An enum, a domain or a range. */
interface TypeFacts {
  /** Of an enum; null for the others. */
  readonly labels: readonly string[] | null;
  /** What the others are. */
  readonly detail: string | null;
}

/** That something belongs to another role than most does. */
interface OwnerFacts {
  /** "table", "view", "function", "schema" ... */
  readonly on: string;
  readonly object: string;
  readonly owner: string;
}
