import { type ClientOptions, createRowhouse, type Rowhouse } from "../../../client/index.ts";
import { apiUrl, type Person } from "./api.ts";

/** Makes a client for one person. */
export function connect(key: string, options: Pick<ClientOptions, "onRequest"> = {}): Rowhouse {
  return createRowhouse({ url: apiUrl, token: () => fetchToken(key), ...options });
}

/**
 * Only a demonstration has two people on one page, and a server that gives a token to any caller. A
 * real app gets the token of its one user from its identity provider. What stays the same: this
 * function is called when a token is needed, and again when the API refuses it.
 */
async function fetchToken(key: string): Promise<string> {
  const response = await fetch(`/dev/token?for=${key}`);
  if (!response.ok)
    throw new Error(`Could not get a token: the server responded with status ${response.status}.`);
  return response.text();
}

/** The two people on this page. */
export const people: readonly [Person, Person] = [
  { key: "alice", name: "Alice", db: connect("alice") },
  { key: "bob", name: "Bob", db: connect("bob") },
];
