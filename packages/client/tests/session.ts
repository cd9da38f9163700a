import { onTestFinished } from "vitest";
import {
  ApiError,
  type ClientOptions,
  type Collection,
  createRowhouse,
  type Rowhouse,
} from "../../../client/index.ts";
import { type Api, claimsFor, type FaultProxy, sign, signIn, startProxy } from "./support.ts";

/** The types of the project's tasks. */
export type TaskTypes = Rowhouse["tasks"] extends Collection<infer T> ? T : never;

/** Pauses that take no time worth mentioning. */
const quick = { baseMs: 1, minMs: 1, maxMs: 5 };

/** A signed-in user with a client, and the proxy that it goes through. */
export interface Session {
  readonly id: string;
  readonly db: Rowhouse;
  readonly proxy: FaultProxy;
  /** A client of the same user, through the same proxy. */
  readonly client: (options?: Partial<ClientOptions>) => Rowhouse;
}

/** Signs a new user in; it ends with the test. */
export async function startSession(
  api: Api,
  options: Partial<ClientOptions> = {},
): Promise<Session> {
  const [proxy, { id }] = await Promise.all([startProxy(api.url), signIn(api)]);
  onTestFinished(() => proxy.stop());
  const client = (more: Partial<ClientOptions> = {}) =>
    createRowhouse({
      url: proxy.url,
      token: sign(claimsFor(id)),
      retry: quick,
      ...options,
      ...more,
    });
  return { id, db: client(), proxy, client };
}

/** The error that a call ends with; anything that is no ApiError fails the test. */
export async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    (value) => new Error(`It should have failed, and returned ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw error;
}

/** The ids of rows, in their order. */
export const getIds = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

/** All that an iteration yields. */
export async function collect<R = { id: string }>(rows: AsyncIterable<R>): Promise<R[]> {
  const collected: R[] = [];
  for await (const row of rows) collected.push(row);
  return collected;
}
