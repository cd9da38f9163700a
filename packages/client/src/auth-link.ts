import { pageStorage } from "./auth-store.ts";
import { uuidv7 } from "./uuid.ts";

/** Under which the sign-in service puts a code into the fragment of a page's address. */
const codeName = "sign-in-code";

/** Under which the address of a page that a link leads to names the browser that has asked for it. */
const flowName = "sign-in-flow";

/** What a link from a mail, or the return from a provider, has left in the page's address. */
export interface Link {
  /** For the session that has begun. */
  readonly code: string | null;
  /** Why none has. */
  readonly error: string | null;
  /** Whether this browser has asked for it. Anybody can make others open a link of their own. */
  readonly isOwn: boolean;
}

/**
 * Takes what a link has left. It is removed from the address, so that neither the history nor a
 * bookmark keeps it.
 *
 * @param key Under which the session is kept.
 */
export function takeLink(key: string): Link | undefined {
  if (typeof document === "undefined") return undefined;
  const url = new URL(location.href);
  const flow = url.searchParams.get(flowName);
  const code = new URLSearchParams(url.hash.slice(1)).get(codeName);
  if (flow === null && code === null) return undefined;
  // An error without a flow may be the app's own.
  const error = flow === null ? null : url.searchParams.get("error");
  if (flow !== null) {
    for (const name of [flowName, "error", "error_description"]) url.searchParams.delete(name);
  }
  if (code !== null) url.hash = "";
  history.replaceState(history.state, "", url);
  const storage = pageStorage();
  const isOwn = !!flow && flow === storage?.getItem(flowKey(key));
  if (isOwn && code !== null) storage?.removeItem(flowKey(key));
  return { code, error, isOwn };
}

/**
 * The address that a link shall lead to, made so that this browser knows the link when it comes.
 *
 * @param key Under which the session is kept.
 * @param redirectTo Default: this page, without query and fragment; undefined where there is none.
 */
export function linkTarget(key: string, redirectTo?: string): string | undefined {
  if (typeof document === "undefined") return redirectTo;
  const url = new URL(redirectTo ?? location.pathname, location.href);
  // The page of another site has a storage of its own.
  const storage = url.origin === location.origin ? pageStorage() : undefined;
  const flow = storage?.getItem(flowKey(key)) ?? uuidv7();
  storage?.setItem(flowKey(key), flow);
  url.searchParams.set(flowName, flow);
  return url.href;
}

const flowKey = (key: string) => `${key}.flow`;
