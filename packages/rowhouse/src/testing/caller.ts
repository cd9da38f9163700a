import { randomUUID } from "node:crypto";

/** An answer of the API, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, undefined when it is empty. */
  readonly body: unknown;
}

/** One request to the API. */
export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, as JSON unless a header says otherwise: for bodies that are none. */
  readonly text?: string;
}

/** Somebody who uses the API with a token of their own, or with none. */
export interface Caller {
  readonly id: string;
  readonly ask: (path: string, ask?: Ask) => Promise<Answer>;
}

/** A caller with a token as given; without one, an anonymous caller. */
export function caller(
  api: { readonly url: string },
  token?: string,
  id: string = randomUUID(),
): Caller {
  return {
    id,
    ask: async (path, { method = "GET", headers = {}, body, text = JSON.stringify(body) } = {}) => {
      const response = await fetch(`${api.url}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(text === undefined ? {} : { body: text }),
      });
      const answer = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") ?? false;
      return {
        status: response.status,
        headers: response.headers,
        body: answer === "" ? undefined : isJson ? JSON.parse(answer) : answer,
      };
    },
  };
}
