/**
 * A token, or a function that gets one; it is called again when the server refuses the last one. Or
 * what holds tokens itself, as `createAuth` of @rowhouse/client/auth does.
 */
export type TokenSource = string | (() => string | Promise<string>) | TokenCache;

/** Holds the current token, and calls its source no more often than needed. */
export interface TokenCache {
  /**
   * The token to send now.
   *
   * @param last What the same call was sent with before: it is never sent again for another user.
   */
  readonly get: (last?: string) => Promise<string>;
  /**
   * Calls the source again because a token was refused. Parallel callers share one call.
   *
   * @returns Another token; undefined when the source has none.
   */
  readonly renew: (refused: string) => Promise<string | undefined>;
}

/** Caches the token of a source. */
export function createTokenCache(source: TokenSource): TokenCache {
  if (typeof source === "object") return source;
  let current: Promise<string> | undefined;
  const load = (): Promise<string> => {
    const loading = Promise.resolve().then(() => (typeof source === "string" ? source : source()));
    current = loading;
    // A source that failed is called again by the next request.
    loading.catch(() => {
      if (current === loading) current = undefined;
    });
    return loading;
  };
  return {
    get: () => current ?? load(),
    renew: async (refused) => {
      if (typeof source === "string") return undefined;
      const latest = current;
      // The first of several callers loads; `current` has changed then, and the others wait for it.
      const isRefused = (await latest) === refused && current === latest;
      const token = await (isRefused ? load() : (current ?? load()));
      return token === refused ? undefined : token;
    },
  };
}

/** The sub claim of a token, which is decoded and not verified: the server does that. */
export function readSubject(token: string): string | undefined {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const sub = typeof claims === "object" && claims !== null && "sub" in claims ? claims.sub : "";
    return typeof sub === "string" && sub !== "" ? sub : undefined;
  } catch {
    return undefined; // Not a JWT: the server will say so, with a better reason.
  }
}
