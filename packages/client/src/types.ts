/**
 * What a column holds, beneath its domains, and so what can be asked of it:
 *
 * - `text`: text, varchar, char, name, citext. Patterns apply.
 * - `number`: smallint, integer, real, double precision.
 * - `exact`: bigint, numeric. They hold more than a JavaScript number, and are read as strings.
 * - `boolean`
 * - `ordered`: all else that can be sorted and comes as a string: uuid, date, timestamptz, time,
 *   interval, enum, bytea, inet, money, oid ...
 * - `json`: jsonb.
 * - `range`: ranges and multiranges.
 * - `search`: tsvector.
 * - `opaque`: anything else (json, xml, point, composite types ...).
 *
 * An array has the kind of its elements, with `[]`.
 */
export type ColumnKind = ElementKind | `${ElementKind}[]`;

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

/**
 * What the client must know of a table or view at run time; `rowhouse types` writes it from the
 * catalog.
 */
export interface TableInfo {
  /**
   * The columns that name a row: the primary key, in its order, or else a unique key; of a view,
   * the key of the table whose rows it shows. Empty when no key is known.
   */
  readonly key: readonly string[];
  /** The column that names the user who owns a row; null when rows have no single owner. */
  readonly owner: string | null;
  /** The column of the key that the client makes a UUID for; null when there is none. */
  readonly newId: string | null;
  /** Every column, with what it holds. */
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** The columns that may be null. */
  readonly nullable: readonly string[];
  /** The exposed table that each foreign key points at, by the name of its constraint. */
  readonly references: Readonly<Record<string, string>>;
}

/** The exposed tables of a database, by name: the `tables` of the generated file. */
export type TableInfos = Readonly<Record<string, TableInfo>>;

/** The name of the exposed schema in a generated `Database` type. */
export type SchemaName<DB> = string & keyof Omit<DB, "__InternalSupabase">;

type Schema<DB> = Omit<DB, "__InternalSupabase">[SchemaName<DB>];

type Tables<DB> = Schema<DB> extends { Tables: infer T extends object } ? T : never;

/** The functions of a database, by name. */
export type Functions<DB> = Schema<DB> extends { Functions: infer F extends object } ? F : never;

/** The names of the tables with an owner column. */
export type OwnedTable<T extends TableInfos> = {
  [N in keyof T]: T[N]["owner"] extends string ? N : never;
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
  /** Rows of the tables that a row references, by table. */
  readonly Embeds: object;
}

/** The types of one table of a generated `Database` type. */
export interface DatabaseTable<DB, T extends TableInfos, N extends keyof T> {
  readonly Row: Part<Table<DB, N>, "Row">;
  /** Without the owner, which is the caller, and with an optional id: the client makes one. */
  readonly New: OptionalId<Omit<Part<Table<DB, N>, "Insert">, Managed<T[N]>>>;
  readonly Patch: Omit<Part<Table<DB, N>, "Update">, Managed<T[N]> | "id">;
  readonly Embeds: {
    [R in Referenced<Table<DB, N>> & keyof Tables<DB>]: Part<Table<DB, R>, "Row">;
  };
}

type Table<DB, N> = N extends keyof Tables<DB> ? Tables<DB>[N] : never;

type Part<T, K extends "Row" | "Insert" | "Update"> =
  T extends Readonly<Record<K, infer P extends object>> ? P : never;

type Referenced<T> = T extends {
  Relationships: readonly { referencedRelation: infer R extends string }[];
}
  ? R
  : never;

/** The columns that the database sets. */
type Managed<I extends TableInfo> = Extract<I["owner"], string> | "created_at" | "updated_at";

/** The same columns, with the id optional also where the database has no default for it. */
type OptionalId<T> = Flatten<Omit<T, "id"> & Partial<Pick<T, "id" & keyof T>>>;

type Flatten<T> = { [K in keyof T]: T[K] };

/** Comparisons with a column. All that are given must hold. */
export type Comparisons<V> = {
  readonly eq?: V;
  readonly neq?: V;
  readonly gt?: NonNullable<V>;
  readonly gte?: NonNullable<V>;
  readonly lt?: NonNullable<V>;
  readonly lte?: NonNullable<V>;
  readonly in?: readonly NonNullable<V>[];
} & (NonNullable<V> extends string
  ? {
      /** Contains the text, in upper or lower case; every character stands for itself. */
      readonly contains?: string;
    }
  : unknown);

/** A filter by column: a value that it must have, or comparisons. All columns given must match. */
export type Where<Row> = {
  readonly [C in keyof Row]?: Row[C] | Comparisons<Row[C]>;
};

type ColumnWith<Row, V> = {
  [C in keyof Row]: Row[C] extends V ? C : never;
}[keyof Row] &
  string;

/** The columns that hold text. */
export type TextColumn<Row> = ColumnWith<Row, string>;

/** The columns that a list can be sorted by: those that are never null. */
export type SortColumn<Row> = ColumnWith<Row, string | number | boolean>;

/** The names of the tables whose rows can be embedded in a row. */
export type Embed<T extends TableTypes> = keyof T["Embeds"] & string;

/** A row with the rows embedded in it. */
export type Embedded<T extends TableTypes, E extends Embed<T>> = T["Row"] & {
  readonly [R in E]: T["Embeds"][R];
};
