import type { CallOptions } from "./options.ts";
import type { Embed, Embedded, SortColumn, TableTypes, TextColumn, Where } from "./types.ts";

/** Which rows to read, in which order, and what to embed. */
export interface ReadOptions<T extends TableTypes, E extends Embed<T> = never> extends CallOptions {
  /** Conditions that rows must meet. */
  readonly where?: Where<T["Row"]>;
  /** A text that at least one of the columns must contain, in upper or lower case. */
  readonly search?: { readonly text: string; readonly in: readonly TextColumn<T["Row"]>[] };
  /** The order. Default: newest first. */
  readonly sort?: { readonly by: SortColumn<T["Row"]>; readonly order?: "asc" | "desc" };
  /** Referenced tables whose rows are embedded, in the same request. */
  readonly with?: readonly E[];
}

/** Options of `get`. */
export type GetOptions<T extends TableTypes, E extends Embed<T> = never> = Pick<
  ReadOptions<T, E>,
  "with" | "signal"
>;

/** Options of `list`. */
export interface ListOptions<T extends TableTypes, E extends Embed<T> = never>
  extends ReadOptions<T, E> {
  /** The largest number of rows in the page. Default 50. */
  readonly limit?: number;
  /** `next` of the previous page. */
  readonly after?: string | undefined;
}

/** Options of `all`. */
export interface AllOptions<T extends TableTypes, E extends Embed<T> = never>
  extends ReadOptions<T, E> {
  /** The largest number of rows in one request. Default 200. */
  readonly pageSize?: number;
}

/** Options of `count`. */
export type CountOptions<T extends TableTypes> = Pick<
  ReadOptions<T>,
  "where" | "search" | "signal"
>;

/** One page of a list. */
export interface Page<R> {
  readonly items: R[];
  /** Pass it as `after` to get the next page; undefined when this is the last. */
  readonly next: string | undefined;
}

/** Options of `update` and `delete`. */
export interface WriteOptions extends CallOptions {
  /** `updated_at` as it was read: the write throws StaleError if the row has changed since. */
  readonly ifMatch?: string;
}

/** The caller's own rows of one table. Every method throws an ApiError, by its classes. */
export interface Collection<T extends TableTypes> {
  /**
   * Creates a row. Safe to retry: the id is made here, so however often it is sent, it is one row.
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
  /** @throws NotFoundError when the caller has no such row. */
  get<E extends Embed<T> = never>(id: string, options?: GetOptions<T, E>): Promise<Embedded<T, E>>;
  /** One page of the list: newest first, unless sorted otherwise. */
  list<E extends Embed<T> = never>(options?: ListOptions<T, E>): Promise<Page<Embedded<T, E>>>;
  /** The whole list, row by row; pages are fetched as needed. */
  all<E extends Embed<T> = never>(
    options?: AllOptions<T, E>,
  ): AsyncGenerator<Embedded<T, E>, void, undefined>;
  /** The number of rows that meet the conditions. */
  count(options?: CountOptions<T>): Promise<number>;
  /**
   * Changes a row. Never retried: another change could have come between.
   *
   * @returns The row as it is now.
   * @throws NotFoundError when the caller has no such row; StaleError, with the current row, when
   *   `ifMatch` is given and the row has changed.
   */
  update(id: string, patch: T["Patch"], options?: WriteOptions): Promise<T["Row"]>;
  /** @throws NotFoundError, StaleError as `update` does. */
  delete(id: string, options?: WriteOptions): Promise<void>;
}
