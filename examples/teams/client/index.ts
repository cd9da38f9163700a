import { type Client, type ClientOptions, createClient } from "@rowhouse/client";
import { type Database, tables } from "./database.types.ts";

export * from "@rowhouse/client";
export type { Database, Tables, TablesInsert, TablesUpdate } from "./database.types.ts";

/** The typed client of this project's database. */
export type Rowhouse = Client<Database, typeof tables>;

/** Makes a client of this project's database. It sends nothing until it is used. */
export function createRowhouse(options: ClientOptions): Rowhouse {
  return createClient<Database, typeof tables>(options, tables);
}
