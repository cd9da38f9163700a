import { createHmac, timingSafeEqual } from "node:crypto";
import { parseSetCookieHeader } from "better-auth/cookies";

/** The header in which a page receives the token of its new session, and a new one later on. */
export const sessionHeader = "set-auth-token";

/** The headers in which a page receives and returns what a sign-in under way must remember. */
export const stateHeaders = { response: "set-auth-state", request: "auth-state" };

const cookieNames = { session: "better-auth.session_token", prefix: "better-auth." };

/**
 * The cookies that Better Auth sees. A browser sends cookies along with requests that a foreign page
 * has caused, and leaves them out where pages and service have different sites. So no cookie counts
 * here: a page sends its session as a bearer token (RFC 6750), and the state of a sign-in that takes
 * several steps in a header of its own.
 *
 * @param secrets Those that session tokens may be signed with; the first is in use.
 */
export function cookiesFor(headers: Headers, secrets: readonly string[]): string {
  const bearer = /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const session = bearer === undefined ? undefined : renewSignature(bearer, secrets);
  const state = headers.get(stateHeaders.request) ?? "";
  const states = state
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(cookieNames.prefix) && !part.startsWith(cookieNames.session));
  return [
    ...(session === undefined ? [] : [`${cookieNames.session}=${encodeURIComponent(session)}`]),
    ...states,
  ].join("; ");
}

/** The session's token among the cookies that Better Auth sees, as the database keeps it. */
export function sessionIn(cookies: string): string | undefined {
  const prefix = `${cookieNames.session}=`;
  const cookie = cookies.split("; ").find((each) => each.startsWith(prefix));
  return cookie && decodeURIComponent(cookie.slice(prefix.length)).replace(/\.[^.]*$/, "");
}

/** Moves the cookies of an answer into its headers. */
export function exposeCredentials(headers: Headers): void {
  const cookies = parseSetCookieHeader(headers.getSetCookie().join(", "));
  headers.delete("set-cookie");
  const states: string[] = [];
  for (const [name, cookie] of cookies) {
    const isOver = cookie["max-age"] === 0 || cookie.value === "";
    if (name !== cookieNames.session)
      states.push(`${name}=${isOver ? "" : encodeURIComponent(cookie.value)}`);
    else if (!isOver) headers.set(sessionHeader, cookie.value);
  }
  if (states.length > 0) headers.set(stateHeaders.response, states.join("; "));
}

/** Keeps of the cookies those of a sign-in under way at a provider: the browser returns there itself. */
export function keepStateCookies(headers: Headers): void {
  const kept = headers.getSetCookie().filter((cookie) => !cookie.startsWith(cookieNames.session));
  headers.delete("set-cookie");
  for (const cookie of kept) headers.append("set-cookie", cookie);
}

/** The same session token signed with the secret in use; undefined when none of them has signed it. */
function renewSignature(signed: string, secrets: readonly string[]): string | undefined {
  const end = signed.lastIndexOf(".");
  const token = signed.slice(0, end);
  const signature = Buffer.from(signed.slice(end + 1), "base64");
  const isValid = secrets.some((secret) => {
    const expected = sign(token, secret);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
  return isValid ? `${token}.${sign(token, secrets[0] ?? "").toString("base64")}` : undefined;
}

function sign(token: string, secret: string): Buffer {
  return createHmac("sha256", secret).update(token).digest();
}
