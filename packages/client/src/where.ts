import type { ColumnKind, TableTypes } from "./types.ts";

/** A full-text search as search engines read it: words, "a phrase", or, -not (websearch_to_tsquery). */
export type FullText = string | { readonly query: string; readonly config: string };

interface Equality<V> {
  /** Equal; null finds rows without a value. */
  readonly eq?: V;
  /** Unequal. As in SQL, rows without a value are found by `neq: null` alone. */
  readonly neq?: V;
}

interface Membership<V> {
  /** Equal to one of these; an empty list finds nothing. However long, it is split as needed. */
  readonly in?: readonly NonNullable<V>[];
}

interface Order<V> {
  readonly gt?: NonNullable<V>;
  readonly gte?: NonNullable<V>;
  readonly lt?: NonNullable<V>;
  readonly lte?: NonNullable<V>;
}

interface Patterns {
  /** Contains the text, in upper or lower case; every character stands for itself. */
  readonly contains?: string;
  /** SQL's LIKE: `%` stands for any text, `_` for one character. */
  readonly like?: string;
  /** As `like`, in upper or lower case. */
  readonly ilike?: string;
  /** PostgreSQL's regular expressions (manual, section 9.7.3). */
  readonly match?: string;
  /** As `match`, in upper or lower case. */
  readonly imatch?: string;
}

interface Search {
  /** Matches a full-text search, in the given configuration ("english") or the database's own. */
  readonly fullText?: FullText;
}

interface Containment<V> {
  /** Contains all of this. */
  readonly contains?: NonNullable<V>;
  /** Holds nothing else than this. */
  readonly containedBy?: NonNullable<V>;
}

interface Overlap<V> {
  /** Has something in common with this. */
  readonly overlaps?: NonNullable<V>;
}

interface Position<V> {
  /** Ends before this range begins. */
  readonly before?: NonNullable<V>;
  /** Begins after this range ends. */
  readonly after?: NonNullable<V>;
  /** Touches this range, with nothing between. */
  readonly adjacent?: NonNullable<V>;
}

type ByKind<V, K> = K extends "text"
  ? Equality<V> & Membership<V> & Order<V> & Patterns & Search
  : K extends "number" | "ordered"
    ? Equality<V> & Membership<V> & Order<V>
    : K extends "exact"
      ? ByKind<V | number, "number">
      : K extends "boolean"
        ? Equality<V> & Membership<V>
        : K extends "json"
          ? Equality<V> & Membership<V> & Containment<V>
          : K extends "range"
            ? Equality<V> & Membership<V> & Containment<V> & Overlap<V> & Position<V>
            : K extends "search"
              ? Equality<null> & Search
              : K extends "exact[]"
                ? ByKind<(string | number)[] | Extract<V, null>, "ordered[]">
                : K extends "opaque" | "json[]" | "search[]" | "opaque[]"
                  ? Equality<null>
                  : Equality<V> & Containment<V> & Overlap<V>;

/** Comparisons with a column, those that its kind allows. All that are given must hold. */
export type Comparisons<V, K = ColumnKind> = ByKind<V, K> & {
  /** None of it: `{ not: null }`, `{ not: { like: "a%" } }`. */
  readonly not?: Plain<V, K> | ByKind<V, K>;
};

/** A value in place of comparisons: equal to it. An object of jsonb could be taken for comparisons. */
type Plain<V, K> = K extends "json" | "search" | "opaque" | "json[]" | "search[]" | "opaque[]"
  ? null extends V
    ? null
    : never
  : K extends "exact"
    ? V | number
    : K extends "exact[]"
      ? (string | number)[] | Extract<V, null>
      : V;

/** A filter by column: a value that it must have, or comparisons. All columns given must match. */
export type Where<T extends TableTypes> = {
  readonly [C in keyof T["Row"]]?:
    | Plain<T["Row"][C], KindOf<T, C>>
    | Comparisons<T["Row"][C], KindOf<T, C>>;
};

type KindOf<T extends TableTypes, C> = C extends keyof T["Kinds"] ? T["Kinds"][C] : "opaque";

type ColumnOfKind<T extends TableTypes, K extends ColumnKind> = {
  [C in keyof T["Kinds"]]: T["Kinds"][C] extends K ? C : never;
}[keyof T["Kinds"]] &
  string;

/** The columns that hold text. */
export type TextColumn<T extends TableTypes> = ColumnOfKind<T, "text">;

/** The columns that a list can be sorted by. */
export type SortColumn<T extends TableTypes> = ColumnOfKind<
  T,
  "text" | "number" | "exact" | "boolean" | "ordered"
>;
