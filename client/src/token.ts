/** A token, or a way to get one; asked again when the server refuses the last one. */
export type TokenSource = string | (() => string | Promise<string>);

/** Hands out the token, and asks its source no more often than needed. */
export interface TokenKeeper {
  readonly get: () => Promise<string>;
  /**
   * Asks the source again because a token was refused. Parallel callers share one asking.
   *
   * @returns Another token; undefined when there is none to be had.
   */
  readonly renew: (refused: string) => Promise<string | undefined>;
}

/** Keeps the token of a source. */
export function tokenKeeper(source: TokenSource): TokenKeeper {
  let asked: Promise<string> | undefined;
  const ask = (): Promise<string> => {
    const answer = Promise.resolve().then(() => (typeof source === "string" ? source : source()));
    asked = answer;
    // A source that failed is asked again by the next call.
    answer.catch(() => {
      if (asked === answer) asked = undefined;
    });
    return answer;
  };
  return {
    get: () => asked ?? ask(),
    renew: async (refused) => {
      if (typeof source === "string") return undefined;
      const latest = asked;
      // Whoever comes first asks; `asked` is then another one, which the others wait for.
      const isRefused = (await latest) === refused && asked === latest;
      const token = await (isRefused ? ask() : (asked ?? ask()));
      return token === refused ? undefined : token;
    },
  };
}

/** The sub claim of a token, read and not verified: that is the server's business. */
export function subjectOf(token: string): string | undefined {
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
