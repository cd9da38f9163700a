import type { CallOptions } from "./options.ts";
import type {
  Embed,
  Embedded,
  NewRow,
  OwnedTable,
  Patch,
  Row,
  SortColumn,
  TextColumn,
  Where,
} from "./types.ts";

/** Which rows, in which order, and what comes along. */
export interface ReadOptions<T extends OwnedTable, E extends Embed<T> = never> extends CallOptions {
  /** Conditions that rows must meet. */
  readonly where?: Where<T>;
  /** A text that at least one of the columns must hold, in upper or lower case. */
  readonly search?: { readonly text: string; readonly in: readonly TextColumn<T>[] };
  /** The order; newest first unless told otherwise. */
  readonly sort?: { readonly by: SortColumn<T>; readonly order?: "asc" | "desc" };
  /** Tables whose rows come along, in the same request. */
  readonly with?: readonly E[];
}

/** Options of `get`. */
export type GetOptions<T extends OwnedTable, E extends Embed<T> = never> = Pick<
  ReadOptions<T, E>,
  "with" | "signal"
>;

/** Options of `list`. */
export interface ListOptions<T extends OwnedTable, E extends Embed<T> = never>
  extends ReadOptions<T, E> {
  /** The most rows that the page holds. Default 50. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** Part of a list. */
export interface Page<R> {
  readonly items: R[];
  /** Give it as `after` to get the next page; undefined when this is the last. */
  readonly next: string | undefined;
}

/** Options of `update` and `delete`. */
export interface WriteOptions extends CallOptions {
  /** `updated_at` as it was read: the write throws StaleError if the row has changed since. */
  readonly ifMatch?: string;
}

/** The user's own rows of one table. All methods throw RowhouseError, by its classes. */
export interface Table<T extends OwnedTable> {
  /**
   * Creates a row. It may be sent again: the id is made here, so whatever the network does, it is
   * one row.
   *
   * @returns The row as the database has it.
   * @throws ConflictError when the id given is taken; InvalidError when a rule is broken.
   */
  create(row: NewRow<T>, options?: CallOptions): Promise<Row<T>>;
  /** Creates several rows, all or none. They come back in the order given. */
  createMany(rows: readonly NewRow<T>[], options?: CallOptions): Promise<Row<T>[]>;
  /** @throws NotFoundError when there is no such row among the user's. */
  get<E extends Embed<T> = never>(id: string, options?: GetOptions<T, E>): Promise<Embedded<T, E>>;
  /** One page of the list: newest first, unless sorted otherwise. */
  list<E extends Embed<T> = never>(options?: ListOptions<T, E>): Promise<Page<Embedded<T, E>>>;
  /** The whole list, a row at a time; pages, of 200 by default, are fetched as they are needed. */
  all<E extends Embed<T> = never>(
    options?: ReadOptions<T, E> & { readonly pageSize?: number },
  ): AsyncGenerator<Embedded<T, E>, void, undefined>;
  /** How many rows meet the conditions. */
  count(options?: Pick<ReadOptions<T>, "where" | "search" | "signal">): Promise<number>;
  /**
   * Changes a row. It is never sent again by itself: someone else's change could lie between.
   *
   * @returns The row as it is now.
   * @throws NotFoundError when there is no such row; StaleError, with the current row, when
   *   `ifMatch` is given and someone was faster.
   */
  update(id: string, patch: Patch<T>, options?: WriteOptions): Promise<Row<T>>;
  /** @throws NotFoundError, StaleError as `update` does. */
  delete(id: string, options?: WriteOptions): Promise<void>;
}
