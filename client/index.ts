import { type Client, type ClientOptions, createClient } from "@rowhouse/client";
import { type Auth, createAuth, type SignInOptions } from "@rowhouse/client/auth";
import { type Database, tables } from "./database.types.ts";

export * from "@rowhouse/client";
export * from "@rowhouse/client/auth";
export type { Database, Tables, TablesInsert, TablesUpdate } from "./database.types.ts";

/** The typed client of this project's database. */
export type Rowhouse = Client<Database, typeof tables>;

/** The same with sign-in: `auth` holds who is signed in. */
export type SignedInRowhouse = Rowhouse & { readonly auth: Auth };

/**
 * Makes a client of this project's database, with `auth` for the project's own sign-in, or with
 * `token` for tokens from elsewhere. It sends nothing until it is used.
 *
 * @example
 * const db = createRowhouse({
 *   url: "http://127.0.0.1:3000",
 *   auth: { url: "http://127.0.0.1:3001/auth" },
 * });
 */
export function createRowhouse(options: SignInOptions): SignedInRowhouse;
export function createRowhouse(options: ClientOptions & { readonly auth?: never }): Rowhouse;
export function createRowhouse({
  auth: settings,
  ...options
}: SignInOptions | (ClientOptions & { readonly auth?: never })): Rowhouse {
  if (settings === undefined) return connect(options as ClientOptions);
  const auth = createAuth(settings);
  return Object.assign(connect({ ...options, token: auth.tokens }), { auth });
}

function connect(options: ClientOptions): Rowhouse {
  return createClient<Database, typeof tables>(options, tables);
}
