import { PostgrestClient } from "@supabase/postgrest-js";
import { createCollection } from "./collection.ts";
import type { Collection } from "./collection-types.ts";
import { InvalidError, unsent } from "./errors.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { createTransport, type Transport } from "./transport.ts";
import type { DatabaseTable, Functions, OwnedTable, SchemaName, TableInfos } from "./types.ts";

/** A client of one database: a collection for each owned table, and access to everything else. */
export type Client<DB, T extends TableInfos> = Collections<DB, T> & Methods<DB, T> & Me<DB>;

/** A collection for each owned table, by its name. A method of the client wins over a table. */
type Collections<DB, T extends TableInfos> = {
  readonly [N in Exclude<OwnedTable<T>, keyof Methods<DB, T> | "me">]: Collection<
    DatabaseTable<DB, T, N>
  >;
};

/** The methods of every client. */
interface Methods<DB, T extends TableInfos> {
  /**
   * The collection of an owned table: `db.table("tasks")` is `db.tasks`.
   *
   * @throws InvalidError for a name that is not an owned table.
   */
  readonly table: <N extends OwnedTable<T>>(name: N) => Collection<DatabaseTable<DB, T, N>>;
  /** Calls a function of the database; never retried. */
  readonly rpc: <F extends keyof Functions<DB> & string>(
    name: F,
    ...rest: RpcArguments<Member<Functions<DB>[F], "Args">>
  ) => Promise<Member<Functions<DB>[F], "Returns">>;
  /**
   * postgrest-js, for everything else: with the same token, deadline, retries and, after
   * `.throwOnError()`, the same errors.
   */
  readonly rest: PostgrestClient<DB, { PostgrestVersion: "12" }, SchemaName<DB>>;
}

/** `me`, for a database that has that function. */
type Me<DB> = "me" extends keyof Functions<DB>
  ? {
      /** The caller's own user row; the first call creates it. */
      readonly me: (options?: CallOptions) => Promise<Member<Functions<DB>["me"], "Returns">>;
    }
  : unknown;

type Member<T, K extends string> = T extends Record<K, infer V> ? V : never;

/** A function without arguments is called without any. */
type RpcArguments<Args> = [Args] extends [Record<PropertyKey, never>]
  ? [args?: Record<string, never>, options?: CallOptions]
  : [args: Args, options?: CallOptions];

/**
 * Makes a client. It sends nothing until it is used.
 *
 * @param tables What the file written by `rowhouse types` exports beside the types.
 *
 * @example
 * const db = createClient<Database, typeof tables>({ url, token }, tables);
 * const task = await db.tasks.create({ title: "Water the plants" });
 */
export function createClient<DB, T extends TableInfos>(
  options: ClientOptions,
  tables: T,
): Client<DB, T> {
  const transport = createTransport(options);
  const collections = createCollections(transport, tables);
  const client = {
    ...collections,
    table: (name: string) => findCollection(collections, name),
    // Creating the user row twice makes one: safe to retry.
    me: (options?: CallOptions) => callFunction(transport, "me", {}, options, true),
    rpc: (name: string, args?: object, options?: CallOptions) =>
      callFunction(transport, name, args, options),
    rest: new PostgrestClient(transport.base, { fetch: transport.fetch, retry: false }),
  };
  return client as unknown as Client<DB, T>;
}

function createCollections(transport: Transport, tables: TableInfos): Record<string, unknown> {
  const entries = Object.entries(tables).flatMap(([name, info]) =>
    info.owner === null ? [] : [[name, createCollection(transport, name, info, info.owner)]],
  );
  return Object.fromEntries(entries);
}

function findCollection(collections: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(collections, name)) return collections[name];
  const names = Object.keys(collections).join(", ") || "none";
  throw new InvalidError(
    `Unknown collection "${name}". The owned tables are: ${names}. After a change of the database, run \`rowhouse types\`.`,
    unsent("unknown_table"),
  );
}

async function callFunction(
  transport: Transport,
  name: string,
  args: object = {},
  options?: CallOptions,
  idempotent = false,
): Promise<unknown> {
  const { json } = await transport.send({
    method: "POST",
    path: `/rpc/${name}`,
    body: args,
    idempotent,
    expectJson: true,
    limits: transport.startLimits(options),
  });
  return json;
}
