import { PostgrestClient } from "@supabase/postgrest-js";
import { createCollection } from "./collection.ts";
import { type Database, ownedTables } from "./database.types.ts";
import { InvalidError, unsent } from "./errors.ts";
import type { CallOptions, RowhouseOptions } from "./options.ts";
import type { Table } from "./table.ts";
import { createTransport } from "./transport.ts";
import type { OwnedTable } from "./types.ts";

type Functions = Database["api"]["Functions"];

/** The row of the caller in `users`. */
export type User = Database["api"]["Tables"]["users"]["Row"];

/** A collection for each owned table, by its name. */
type Collections = { readonly [T in OwnedTable]: Table<T> };

/** The client: a collection for each owned table, and the way to everything else. */
export type Rowhouse = Collections & {
  /**
   * The collection of an owned table: `db.table("tasks")` is `db.tasks`.
   *
   * @throws InvalidError for a name that the types do not know.
   */
  readonly table: <T extends OwnedTable>(name: T) => Table<T>;
  /** The caller's own user row; the first call ever creates it. */
  readonly me: (options?: CallOptions) => Promise<User>;
  /** Calls a function of the database; it is never sent again by itself. */
  readonly rpc: <F extends keyof Functions & string>(
    name: F,
    ...rest: RpcArguments<F>
  ) => Promise<Functions[F]["Returns"]>;
  /**
   * postgrest-js, for all the rest: with the same token, deadline, retries and, after
   * `.throwOnError()`, the same errors.
   */
  readonly rest: PostgrestClient<Database, { PostgrestVersion: "12" }, "api">;
};

/** A function without arguments is called without any. */
type RpcArguments<F extends keyof Functions> =
  Functions[F]["Args"] extends Record<PropertyKey, never>
    ? [args?: Record<string, never>, options?: CallOptions]
    : [args: Functions[F]["Args"], options?: CallOptions];

/**
 * Makes a client. It sends nothing until it is used.
 *
 * @example
 * const db = createRowhouse({ url: "http://127.0.0.1:3000", token: () => session.token() });
 * const task = await db.tasks.create({ title: "Water the plants" });
 */
export function createRowhouse(options: RowhouseOptions): Rowhouse {
  const transport = createTransport(options);
  const call = async (name: string, args: object = {}, options?: CallOptions, safe = false) => {
    const reply = await transport.send({
      method: "POST",
      path: `/rpc/${name}`,
      body: args,
      safe,
      json: true,
      limits: transport.begin(options),
    });
    return reply.json as never;
  };
  const collections = Object.fromEntries(
    ownedTables.map((name) => [name, createCollection(transport, name)]),
  ) as Collections;
  return {
    ...collections,
    table: (name) => {
      if (!Object.hasOwn(collections, name)) {
        const message = `There is no collection "${name}". Name one of: ${ownedTables.join(", ")}; after a change of the database, run \`rowhouse types\`.`;
        throw new InvalidError(message, unsent("unknown_table"));
      }
      return collections[name];
    },
    // Creating a user row twice makes one: it may be sent again.
    me: (callOptions) => call("me", {}, callOptions, true),
    rpc: (name, args?: object, callOptions?: CallOptions) => call(name, args, callOptions),
    rest: new PostgrestClient(transport.base, {
      schema: "api",
      fetch: transport.fetch,
      retry: false,
    }),
  };
}
