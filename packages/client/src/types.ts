/**
 * What kind of values a column holds: it decides how the client reads, compares and sorts them. The
 * base type of a domain counts.
 *
 * - `text`: text, varchar, char, citext: patterns apply.
 * - `number`: what a JavaScript number holds: smallint, integer, real, double precision.
 * - `exact`: bigint and numeric, which a JavaScript number would round. They are strings.
 * - `boolean`.
 * - `ordered`: everything else that PostgreSQL sorts and that comes as a string: uuid, dates, enums.
 * - `json`: jsonb.
 * - `range`: ranges and multiranges.
 * - `search`: tsvector.
 * - `opaque`: what cannot be compared: json, xml, point, composite types.
 */
type ElementKind =
  | "text"
  | "number"
  | "exact"
  | "boolean"
  | "ordered"
  | "json"
  | "range"
  | "search"
  | "opaque";

/** The kind of a column; "[]" marks an array. */
export type ColumnKind = ElementKind | `${ElementKind}[]`;

/** What the client must know of a table at run time; `rowhouse types` writes it from the catalog. */
export interface TableInfo {
  /** The columns of the primary key, or of another unique key, in its order; empty when none is sure. */
  readonly key: readonly string[];
  /** The column that names the user who owns a row; null when rows have no single owner. */
  readonly owner: string | null;
  /** The uuid column of the key whose value the client makes when it creates a row; null when none. */
  readonly newId: string | null;
  /** All columns, with their kinds. */
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** The columns that may be null. */
  readonly nullable: readonly string[];
  /** The exposed tables that the foreign keys reference, by the name of the foreign key. */
  readonly references: Readonly<Record<string, string>>;
}

/** The exposed tables of a database, by name: the `tables` of the generated file. */
export type TableInfos = Readonly<Record<string, TableInfo>>;

/** The name of the exposed schema in a generated `Database` type. */
export type SchemaName<DB> = string & keyof Omit<DB, "__InternalSupabase">;

type Schema<DB> = Omit<DB, "__InternalSupabase">[SchemaName<DB>];

type Member<T, K extends PropertyKey> = T extends Readonly<Record<K, infer V>> ? V : never;

/** The tables and views of a database, by name. */
type Tables<DB> = Member<Schema<DB>, "Tables"> & Member<Schema<DB>, "Views">;

/** The functions of a database, by name. */
export type Functions<DB> = Schema<DB> extends { Functions: infer F extends object } ? F : never;

/** The names of the tables and views with a key: those that have a collection. */
export type KeyedTable<T extends TableInfos> = {
  [N in keyof T]: T[N]["key"] extends readonly [] ? never : N;
}[keyof T] &
  string;

/** The types of one table, as a collection uses them. */
export interface TableTypes {
  /** A row, as it is read. */
  readonly Row: object;
  /** What `create` takes. */
  readonly New: object;
  /** What `update` takes. */
  readonly Patch: object;
  /** What names one row: its id, or an object with all columns of the key, such as the row itself. */
  readonly Key: unknown;
  /** The kinds of the columns. */
  readonly Kinds: Readonly<Record<string, ColumnKind>>;
  /** The rows that a row references, by the name of the foreign key. */
  readonly References: object;
  /** The same by table, for the tables that one foreign key alone references. */
  readonly Embeds: object;
}

/** The types of one table of a generated `Database` type. */
export interface DatabaseTable<DB, T extends TableInfos, N extends keyof T> {
  readonly Row: RowOf<DB, N>;
  /** Without the owner, which is the caller, and with an optional id where the client makes it. */
  readonly New: OptionalId<
    Omit<Member<Table<DB, N>, "Insert">, Managed<T[N]>>,
    Extract<T[N]["newId"], string>
  >;
  readonly Patch: Omit<Member<Table<DB, N>, "Update">, Managed<T[N]> | T[N]["key"][number]>;
  readonly Key: Key<RowOf<DB, N>, T[N]>;
  readonly Kinds: T[N]["columns"];
  readonly References: References<DB, T[N]["references"], N>;
  readonly Embeds: {
    [R in UniqueReference<T[N]["references"], N>]: RowOf<DB, R>;
  };
}

type Table<DB, N> = N extends keyof Tables<DB> ? Tables<DB>[N] : never;

type RowOf<DB, N> = Table<DB, N> extends { Row: infer R extends object } ? R : never;

/** The id, where the key is one column, the owner aside; or an object with the whole key. */
type Key<Row, I extends TableInfo> =
  | NonNullable<Row[IdColumn<I> & keyof Row]>
  | { readonly [C in I["key"][number] & keyof Row]: NonNullable<Row[C]> };

type IdColumn<I extends TableInfo> = I["key"] extends readonly [infer C]
  ? C
  : Single<Exclude<I["key"][number], I["owner"]>>;

/** A type that is no union; never for a union. */
type Single<C, All = C> = C extends unknown ? ([All] extends [C] ? C : never) : never;

/** The references of a table, by foreign key. PostgREST cannot embed a table in itself this way. */
type References<DB, R extends Readonly<Record<string, string>>, Self> = {
  [F in keyof R as R[F] extends Self ? never : F]: RowOf<DB, R[F]>;
};

/** The tables that one foreign key alone references. */
type UniqueReference<R extends Readonly<Record<string, string>>, Self> = {
  [F in keyof R]: R[F] extends Self | R[Exclude<keyof R, F>] ? never : R[F];
}[keyof R];

/** The columns that the database sets. */
type Managed<I extends TableInfo> = Extract<I["owner"], string> | "created_at" | "updated_at";

/** The same columns, with the id optional also where the database has no default for it. */
type OptionalId<T, Id extends string> = Flatten<Omit<T, Id> & Partial<Pick<T, Id & keyof T>>>;

type Flatten<T> = { [K in keyof T]: T[K] };

/**
 * A `Database` as its values arrive without the client's casts, in `db.rest`: a bigint or numeric is
 * a number where JavaScript holds it exactly, and a string where it does not.
 */
export type AsSent<DB, T extends TableInfos> = {
  [S in keyof DB]: S extends SchemaName<DB>
    ? {
        [P in keyof DB[S]]: P extends "Tables" | "Views"
          ? { [N in keyof DB[S][P]]: TableAsSent<DB[S][P][N], N extends keyof T ? T[N] : never> }
          : DB[S][P];
      }
    : DB[S];
};

type TableAsSent<Table, I extends TableInfo> = {
  [P in keyof Table]: P extends "Row"
    ? { [C in keyof Table[P]]: ValueAsSent<Table[P][C], I["columns"][C & string]> }
    : Table[P];
};

type ValueAsSent<V, K> = K extends "exact"
  ? V | number
  : K extends "exact[]"
    ? (string | number)[] | Extract<V, null>
    : V;
