import { keepStateCookies } from "./credentials.ts";
import type { AuthSettings } from "./settings.ts";

/** The name in a page's fragment under which it finds the code of a session that a link has begun. */
const codeName = "sign-in-code";

/**
 * After a link from a mail or a return from a provider the browser goes on to the page. The session
 * that has begun reaches it as a code in the address's fragment, which no server sees; the page
 * exchanges it for the session, once and within a minute. A session cookie would not be sent from
 * pages of another site.
 */
export function continueOnPage(settings: AuthSettings, response: Response): Response {
  const location = response.headers.get("location");
  if (location === null) return response;
  const headers = new Headers(response.headers);
  const code = headers.get("set-ott");
  headers.delete("set-ott");
  keepStateCookies(headers);
  const page = new URL(location, settings.url.origin);
  // Without a page to go to: one of the service itself.
  if (page.href === `${settings.url.origin}/`) page.pathname = `${settings.url.pathname}/done`;
  if (code !== null) page.hash = `${codeName}=${code}`;
  headers.set("location", page.href);
  return new Response(null, { status: response.status, headers });
}
