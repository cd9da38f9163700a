import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { BlockList } from "node:net";
import { isAPIError } from "better-auth/api";
import type pg from "pg";
import type { Auth } from "./auth.ts";
import { clientAddress, clientAddressHeader, proxyList } from "./client-address.ts";
import {
  cookiesFor,
  exposeCredentials,
  keepStateCookies,
  sessionHeader,
  sessionIn,
  stateHeaders,
} from "./credentials.ts";
import { donePage } from "./done-page.ts";
import { refuseMalformed, withCode } from "./error-body.ts";
import { log } from "./log.ts";
import { isAllowedOrigin } from "./origins.ts";
import { continueOnPage } from "./page-handover.ts";
import { renewLink } from "./renew-link.ts";
import type { AuthSettings } from "./settings.ts";

/** What the server stands on. */
export interface ServerDependencies {
  readonly auth: Auth;
  readonly pool: pg.Pool;
  readonly settings: AuthSettings;
}

/** The longest body of a request, in bytes: forms of a few fields. */
const bodyLimit = 64 * 1024;

/** An answer other than success, with a code that programs can rely on. */
class Refusal extends Error {
  override name = "Refusal";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The HTTP server: CORS, bounded bodies, the client's address, and Better Auth behind them. */
export function createAuthServer(dependencies: ServerDependencies): Server {
  const proxies = proxyList(dependencies.settings.proxies);
  const server = createServer((request, response) => {
    answer(dependencies, proxies, request)
      .catch((error: unknown) => failure(error))
      .then((result) => send(dependencies.settings, request, response, result))
      .catch((error: unknown) => {
        log(`cannot answer: ${String(error)}`);
        response.destroy();
      });
  });
  server.on("clientError", refuseMalformed);
  // Slow headers and bodies do not keep connections for ever.
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  return server;
}

async function answer(
  { auth, pool, settings }: ServerDependencies,
  proxies: BlockList,
  incoming: IncomingMessage,
): Promise<Response> {
  const { origin } = incoming.headers;
  if (origin !== undefined && !isAllowedOrigin(settings, origin)) {
    throw new Refusal(403, "ORIGIN_REFUSED", "Pages of this origin may not call the service.");
  }
  if (incoming.method === "OPTIONS") return new Response(null, { status: 204 });
  const url = new URL(incoming.url ?? "/", settings.url.origin);
  const path = routeOf(url, settings);
  if (path === "/ready") return ready(pool);
  if (path === "/done") return donePage(url.searchParams.get("error"));
  if (path === "/verify-email") await renewLink(url, settings.secrets);
  const headers = headersFor(incoming, settings, proxies);
  if (path === "/sign-in/redirect") return startAtProvider(auth, settings, url, headers);
  // A browser that returns from a provider brings the state which it left with.
  const isReturn = path.startsWith("/callback/");
  if (isReturn) headers.set("cookie", incoming.headers.cookie ?? "");
  const body = await readBody(incoming);
  const request = new Request(url, { method: incoming.method ?? "GET", headers, ...body });
  const answered = await withCode(await auth.handler(request).catch(failure));
  if (answered.status === 401) {
    const { code } = (await answered.clone().json()) as { code?: string };
    if (code === "UNAUTHORIZED") await assertEnded(pool, headers);
  }
  return continueOnPage(settings, answered);
}

/**
 * Better Auth answers 401 also when it could not look the session up. A page would sign out, for a
 * database that was away for a moment.
 */
async function assertEnded(pool: pg.Pool, headers: Headers): Promise<void> {
  const token = sessionIn(headers.get("cookie") ?? "");
  if (token === undefined) return;
  const { rowCount } = await pool.query(
    "select from identity.sessions where token = $1 and expires_at > now()",
    [token],
  );
  if (rowCount === 0) return;
  throw new Refusal(503, "UNAVAILABLE", "The service cannot answer now. Try again.");
}

function routeOf(url: URL, settings: AuthSettings): string {
  const base = settings.url.pathname;
  if (url.pathname !== base && !url.pathname.startsWith(`${base}/`)) {
    throw new Refusal(404, "NOT_FOUND", `There is nothing here: the service is below ${base}/.`);
  }
  return url.pathname.slice(base.length);
}

/** The request's headers, with the cookies and the address that Better Auth may believe. */
function headersFor(
  incoming: IncomingMessage,
  settings: AuthSettings,
  proxies: BlockList,
): Headers {
  const headers = new Headers();
  for (const name of [
    "accept",
    "content-type",
    "user-agent",
    "authorization",
    stateHeaders.request,
  ]) {
    const value = incoming.headers[name];
    if (value !== undefined) headers.set(name, String(value));
  }
  headers.set("origin", incoming.headers.origin ?? settings.url.origin);
  headers.set(clientAddressHeader, clientAddress(incoming, proxies));
  const cookies = cookiesFor(headers, settings.secrets);
  if (cookies) headers.set("cookie", cookies);
  headers.delete("authorization");
  return headers;
}

async function readBody(incoming: IncomingMessage): Promise<{ body?: Buffer }> {
  if (incoming.method === "GET" || incoming.method === "HEAD") return {};
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length > bodyLimit) {
      throw new Refusal(413, "BODY_TOO_LARGE", `The body is larger than ${bodyLimit} bytes.`);
    }
    chunks.push(chunk);
  }
  return length === 0 ? {} : { body: Buffer.concat(chunks) };
}

async function ready(pool: pg.Pool): Promise<Response> {
  await pool.query("select from identity.signing_keys limit 1");
  return Response.json({ ready: true });
}

/** Leads a browser to a provider: the page navigates here, so that the state's cookie is this site's own. */
async function startAtProvider(
  auth: Auth,
  settings: AuthSettings,
  { searchParams }: URL,
  headers: Headers,
): Promise<Response> {
  headers.set("content-type", "application/json");
  const started = await auth.handler(
    new Request(`${settings.url.href}/sign-in/social`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        provider: searchParams.get("provider"),
        callbackURL: searchParams.get("callbackURL") ?? "/",
      }),
    }),
  );
  if (!started.ok) return withCode(started);
  const { url } = (await started.json()) as { url: string };
  const response = new Response(null, { status: 302, headers: started.headers });
  response.headers.delete("content-type");
  keepStateCookies(response.headers);
  response.headers.set("location", url);
  return response;
}

function failure(error: unknown): Response {
  if (error instanceof Refusal) {
    const { status, code, message } = error;
    return Response.json({ code, message }, { status });
  }
  if (isAPIError(error)) {
    const { statusCode, body, headers } = error;
    return Response.json(body ?? {}, { status: statusCode, headers: new Headers(headers) });
  }
  // Not the whole error: the detail of PostgreSQL's holds the row at fault.
  log(`failed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  return Response.json(
    { code: "UNAVAILABLE", message: "The service cannot answer now. Try again." },
    { status: 503, headers: { "Retry-After": "1" } },
  );
}

async function send(
  settings: AuthSettings,
  request: IncomingMessage,
  response: ServerResponse,
  result: Response,
): Promise<void> {
  const headers = new Headers(result.headers);
  // Its purpose is the redirect to a page: see page-handover.ts.
  headers.delete("set-ott");
  headers.delete("access-control-expose-headers");
  // The standard's name (RFC 9110, section 10.2.3) for what Better Auth calls otherwise.
  const wait = headers.get("x-retry-after");
  if (wait !== null) headers.set("retry-after", wait);
  headers.delete("x-retry-after");
  if (result.status !== 302) exposeCredentials(headers);
  allowOrigin(settings, request, headers);
  headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  const cookies = headers.getSetCookie();
  headers.delete("set-cookie");
  response.writeHead(result.status, {
    ...Object.fromEntries(headers),
    ...(cookies.length > 0 ? { "set-cookie": cookies } : {}),
  });
  response.end(Buffer.from(await result.arrayBuffer()));
}

/** CORS (https://fetch.spec.whatwg.org/#http-cors-protocol), without credentials: no cookie counts. */
function allowOrigin(
  settings: AuthSettings,
  { headers: sent }: IncomingMessage,
  headers: Headers,
): void {
  headers.set("vary", "Origin");
  const { origin } = sent;
  if (origin === undefined || !isAllowedOrigin(settings, origin)) return;
  headers.set("access-control-allow-origin", origin);
  headers.set(
    "access-control-expose-headers",
    `${sessionHeader}, ${stateHeaders.response}, retry-after`,
  );
  headers.set("access-control-allow-methods", "GET, POST");
  headers.set(
    "access-control-allow-headers",
    `authorization, content-type, ${stateHeaders.request}`,
  );
  headers.set("access-control-max-age", "600");
}
