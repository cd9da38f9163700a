import type { Transport } from "./transport.ts";

/** What the functions of one collection share. */
export interface TableContext {
  readonly transport: Transport;
  readonly table: string;
  /** The column that names the row's owner. */
  readonly owner: string;
  /** The column that, with the owner, identifies a row. */
  readonly id: string;
}

/** A row, without its types: the server's word for them is taken. */
export type AnyRow = Record<string, unknown>;
