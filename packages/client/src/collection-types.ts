import type { CallOptions } from "./options.ts";
import type { TableTypes } from "./types.ts";
import type { SortColumn, TextColumn, Where } from "./where.ts";

/**
 * The rows to embed: referenced tables, or foreign keys under names of your own
 * (`{ assignee: "tasks_assignee_id_fkey" }`), which tells two references to one table apart.
 */
export type With<T extends TableTypes> =
  | readonly (keyof T["Embeds"] & string)[]
  | { readonly [name: string]: keyof T["References"] & string };

/**
 * A row with the rows embedded in it. Each may be null: where the row references none, and where the
 * policies hide the referenced row from the caller.
 */
export type Embedded<T extends TableTypes, W extends With<T>> = T["Row"] &
  (W extends readonly (infer E)[]
    ? { readonly [N in E & keyof T["Embeds"]]: T["Embeds"][N] | null }
    : { readonly [N in keyof W]: T["References"][W[N] & keyof T["References"]] | null });

/** One step of an order. */
export interface Sort<T extends TableTypes> {
  readonly by: SortColumn<T>;
  /** Default: ascending. */
  readonly order?: "asc" | "desc";
  /** Where rows without a value stand. Default, as in PostgreSQL: last, or first when descending. */
  readonly nulls?: "first" | "last";
}

/** Which rows to read, in which order, and what to embed. */
export interface ReadOptions<T extends TableTypes, W extends With<T> = readonly []>
  extends CallOptions {
  /** Conditions that rows must meet. */
  readonly where?: Where<T>;
  /** A text that at least one of the columns must contain, in upper or lower case. */
  readonly search?: { readonly text: string; readonly in: readonly TextColumn<T>[] };
  /** Only rows that the caller owns, of all that the policies let through. Default false. */
  readonly mine?: boolean;
  /** The order, by one column or several. Default: by the key, descending, which is newest first. */
  readonly sort?: Sort<T> | readonly Sort<T>[];
  /** Referenced rows to embed, in the same request. */
  readonly with?: W;
}

/** Options of `get`. */
export type GetOptions<T extends TableTypes, W extends With<T> = readonly []> = Pick<
  ReadOptions<T, W>,
  "with" | "signal"
>;

/** Options of `list`. */
export interface ListOptions<T extends TableTypes, W extends With<T> = readonly []>
  extends ReadOptions<T, W> {
  /** The largest number of rows in the page. Default 50. */
  readonly limit?: number;
  /** `next` of the previous page. */
  readonly after?: string | undefined;
  /** Whether to count the whole list, which takes the longer the more rows match. Default false. */
  readonly count?: boolean;
}

/** Options of `all`. */
export interface AllOptions<T extends TableTypes, W extends With<T> = readonly []>
  extends ReadOptions<T, W> {
  /** The largest number of rows in one request. Default 200. */
  readonly pageSize?: number;
}

/** Options of `count`. */
export type CountOptions<T extends TableTypes> = Pick<
  ReadOptions<T>,
  "where" | "search" | "mine" | "signal"
>;

/** One page of a list. */
export interface Page<R> {
  readonly items: R[];
  /** Pass it as `after` to get the next page; undefined when this is the last. */
  readonly next: string | undefined;
  /** The number of rows in the whole list; undefined unless `count` was asked for. */
  readonly total?: number;
}

/** Options of `update` and `delete`. */
export interface WriteOptions extends CallOptions {
  /** `updated_at` as it was read: the write throws StaleError if the row has changed since. */
  readonly ifMatch?: string;
}

/**
 * The rows of one table, those that its policies let the caller reach. Every method throws an
 * ApiError, by its classes. A row is named by its id, or by an object with all columns of its key,
 * such as the row itself.
 */
export interface Collection<T extends TableTypes> {
  /**
   * Creates a row. Where the client makes its id, or the row has its whole key, it is safe to retry:
   * however often it is sent, it is one row. Elsewhere it is sent once.
   *
   * @returns The row as the database stored it.
   * @throws ConflictError when the given id is taken; InvalidError when a constraint is violated.
   */
  create(row: T["New"], options?: CallOptions): Promise<T["Row"]>;
  /**
   * Creates several rows, all or none.
   *
   * @returns The rows in the order given.
   * @throws As `create` does.
   */
  createMany(rows: readonly T["New"][], options?: CallOptions): Promise<T["Row"][]>;
  /**
   * @throws NotFoundError when the caller reaches no such row; ConflictError when an id alone names
   *   several.
   */
  get<const W extends With<T> = readonly []>(
    key: T["Key"],
    options?: GetOptions<T, W>,
  ): Promise<Embedded<T, W>>;
  /** One page of the list: newest first, unless sorted otherwise. */
  list<const W extends With<T> = readonly []>(
    options?: ListOptions<T, W>,
  ): Promise<Page<Embedded<T, W>>>;
  /** The whole list, row by row; pages are fetched as needed. */
  all<const W extends With<T> = readonly []>(
    options?: AllOptions<T, W>,
  ): AsyncGenerator<Embedded<T, W>, void, undefined>;
  /** The number of rows that meet the conditions. */
  count(options?: CountOptions<T>): Promise<number>;
  /**
   * Changes a row. Never retried: another change could have come between.
   *
   * @returns The row as it is now.
   * @throws NotFoundError when the caller reaches no such row; StaleError, with the current row, when
   *   `ifMatch` is given and the row has changed; ConflictError when an id alone names several rows,
   *   of which none is changed then.
   */
  update(key: T["Key"], patch: T["Patch"], options?: WriteOptions): Promise<T["Row"]>;
  /** @throws NotFoundError, StaleError, ConflictError as `update` does. */
  delete(key: T["Key"], options?: WriteOptions): Promise<void>;
}
