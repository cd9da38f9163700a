/** Under which the sign-in service puts a code into the fragment of a page's address. */
const codeName = "sign-in-code";

/**
 * Takes the code that a link from a mail, or the return from a provider, has left in the page's
 * address. It is removed there, so that neither the history nor a bookmark keeps it.
 */
export function takeCode(): string | undefined {
  if (typeof document === "undefined") return undefined;
  const fragment = new URLSearchParams(location.hash.slice(1));
  const code = fragment.get(codeName);
  if (code === null) return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}

/** The address of this page without query and fragment; undefined where there is none. */
export function thisPage(): string | undefined {
  return typeof document === "undefined" ? undefined : location.origin + location.pathname;
}
