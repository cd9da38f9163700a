import type { Database, ownedTables } from "./database.types.ts";

type Tables = Database["api"]["Tables"];

/** The tables whose rows belong to a user each: their key is (user_id, id). */
export type OwnedTable = (typeof ownedTables)[number];

/** A row of a table, as it is read. */
export type Row<T extends OwnedTable> = Tables[T]["Row"];

/** What the database sets by itself in every owned table. */
type Kept = "user_id" | "created_at" | "updated_at";

/** What `create` takes: the owner is whoever asks, and the id is made when left out. */
export type NewRow<T extends OwnedTable> = Omit<Tables[T]["Insert"], Kept>;

/** What `update` takes. */
export type Patch<T extends OwnedTable> = Omit<Tables[T]["Update"], Kept | "id">;

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
      /** Holds the text, in upper or lower case; every character stands for itself. */
      readonly contains?: string;
    }
  : unknown);

/** A filter: a value that a column must have, or comparisons. All columns given must hold. */
export type Where<T extends OwnedTable> = {
  readonly [C in keyof Row<T>]?: Row<T>[C] | Comparisons<Row<T>[C]>;
};

/** The columns of a type, by their names. */
type ColumnsOf<T extends OwnedTable, V> = {
  [C in keyof Row<T>]: Row<T>[C] extends V ? C : never;
}[keyof Row<T>] &
  string;

/** The columns that hold text. */
export type TextColumn<T extends OwnedTable> = ColumnsOf<T, string>;

/** The columns that a list can be sorted by: those that are never null. */
export type SortColumn<T extends OwnedTable> = ColumnsOf<T, string | number | boolean>;

type Relationship<T extends OwnedTable> = Tables[T]["Relationships"][number];

/** The tables that a row points at, and that can come along with it. */
export type Embed<T extends OwnedTable> = Relationship<T>["referencedRelation"] & keyof Tables;

/** A row with what was asked to come along. */
export type Embedded<T extends OwnedTable, E extends Embed<T>> = Row<T> & {
  readonly [R in E]: Tables[R]["Row"];
};
