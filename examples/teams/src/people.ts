import { createRowhouse, type Rowhouse } from "../client/index.ts";

/** A person who is signed in on this page. */
export interface Person {
  readonly key: string;
  readonly name: string;
  readonly id: string;
  /** The client that sends their token. */
  readonly db: Rowhouse;
}

/** Signs a person in; only a demonstration has a server that gives a token to any caller. */
export async function signIn(key: string, name: string): Promise<Person> {
  const db = createRowhouse({
    url: import.meta.env.VITE_API_URL,
    token: async () => (await fetch(`/dev/token?for=${key}`)).text(),
  });
  const { id } = await db.rpc("me");
  return { key, name, id, db };
}
