import { PostgrestClient } from "@supabase/postgrest-js";
import { createCollection } from "./collection.ts";
import type { Collection } from "./collection-types.ts";
import { keyedTables } from "./context.ts";
import { connect } from "./methods.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import type { Transport } from "./transport.ts";
import type {
  AsSent,
  DatabaseTable,
  Functions,
  KeyedTable,
  SchemaName,
  TableInfos,
} from "./types.ts";

/** A client of one database: a collection for each table with a key, and access to everything else. */
export type Client<DB, T extends TableInfos> = Collections<DB, T> & Methods<DB, T> & Me<DB>;

/** A collection for each table with a key, by its name. A method of the client wins over a table. */
type Collections<DB, T extends TableInfos> = {
  readonly [N in Exclude<KeyedTable<T>, keyof Methods<DB, T> | "me">]: Collection<
    DatabaseTable<DB, T, N>
  >;
};

/** The methods of every client. */
interface Methods<DB, T extends TableInfos> {
  /**
   * The collection of a table or view with a key: `db.table("tasks")` is `db.tasks`.
   *
   * @throws InvalidError for a name that is none.
   */
  readonly table: <N extends KeyedTable<T>>(name: N) => Collection<DatabaseTable<DB, T, N>>;
  /**
   * Calls a function of the database; never retried. A number that JavaScript would round arrives as
   * a string.
   */
  readonly rpc: <
    F extends keyof Functions<DB> & string,
    A extends Arguments<Functions<DB>[F]> = Arguments<Functions<DB>[F]>,
  >(
    name: F,
    ...rest: RpcArguments<A & NoOthers<A, Functions<DB>[F]>>
  ) => Promise<Returned<Functions<DB>[F], A>>;
  /**
   * postgrest-js, for everything else: with the same token, deadline, retries and, after
   * `.throwOnError()`, the same errors.
   */
  readonly rest: PostgrestClient<AsSent<DB, T>, { PostgrestVersion: "12" }, SchemaName<DB>>;
}

/** `me`, for a database that has that function. */
type Me<DB> = "me" extends keyof Functions<DB>
  ? {
      /** The caller's own user row; the first call creates it. */
      readonly me: (options?: CallOptions) => Promise<Member<Functions<DB>["me"], "Returns">>;
    }
  : unknown;

type Member<T, K extends string> = T extends Record<K, infer V> ? V : never;

type Arguments<F> = Member<F, "Args">;

/** What a function returns; of several with one name, the one that takes these arguments. */
type Returned<F, A> = F extends { Args: infer P; Returns: infer R }
  ? A extends P
    ? R
    : never
  : never;

/** No arguments but those of the function that takes these. */
type NoOthers<A, F> = Readonly<
  Record<
    Exclude<keyof A, F extends { Args: infer P } ? (A extends P ? keyof P : never) : never>,
    never
  >
>;

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
  const connection = connect<DB, T>(options, tables);
  const { transport } = connection;
  const collections = Object.fromEntries(
    keyedTables(tables).map((name) => [name, createCollection(connection, name as KeyedTable<T>)]),
  );
  const client = {
    ...collections,
    table: (name: KeyedTable<T>) =>
      Object.hasOwn(collections, name) ? collections[name] : createCollection(connection, name),
    // Creating the user row twice makes one: safe to retry.
    me: (options?: CallOptions) => callFunction(transport, "me", {}, options, true),
    rpc: (name: string, args?: object, options?: CallOptions) =>
      callFunction(transport, name, args, options),
    rest: new PostgrestClient(transport.base, { fetch: transport.fetch, retry: false }),
  };
  return client as unknown as Client<DB, T>;
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
    path: `/rpc/${encodeURIComponent(name)}`,
    body: args,
    idempotent,
    expectJson: true,
    limits: transport.startLimits(options),
  });
  return json;
}
