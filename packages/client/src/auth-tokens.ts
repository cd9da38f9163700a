import { signedOut } from "./auth-errors.ts";
import type { Service } from "./auth-service.ts";
import type { SessionStore, StoredSession } from "./auth-store.ts";
import { createTabs, type Tabs } from "./auth-tabs.ts";
import { SignedOutError } from "./errors.ts";
import { readSubject, type TokenCache } from "./token.ts";

/** A token, and how old it may become. */
interface HeldToken {
  readonly token: string;
  /** The session that it belongs to. */
  readonly session: string;
  /** By `performance.now()`: what the clock of the machine says does not matter. */
  readonly since: number;
  readonly lifeMs: number;
}

/** From so long before its end on a token is renewed, while it is still sent. */
const renewalMs = 60_000;
/** And so long before its end it is sent no more: a request takes its time. */
const marginMs = 5_000;

/** The tokens of a session. `ready` is waited for first. */
export function createTokens(
  store: SessionStore,
  service: Service,
  key: string,
  ready: () => Promise<void>,
): { readonly tokens: TokenCache; readonly tabs: Tabs } {
  let held: HeldToken | undefined;
  let renewal: { readonly session: string; readonly token: Promise<string> } | undefined;

  const hold = (token: string, session: string, since = performance.now()) => {
    held = { token, session, since, lifeMs: lifeOf(token) };
  };

  /** How long the token of a session can still be sent. */
  const leftMs = (session: StoredSession) =>
    held?.session === session.token ? held.since + held.lifeMs - marginMs - performance.now() : 0;

  const tabs = createTabs(key, {
    onChange: () => void store.read().catch(() => {}),
    onToken: (token) => {
      const session = store.current();
      if (session && readSubject(token) === session.user.id) hold(token, session.token);
    },
  });

  /** @throws SignedOutError when the session has ended, here or at the service. */
  const fetchToken = async (session: StoredSession): Promise<string> => {
    const since = performance.now();
    const call = { path: "/token", session: session.token, idempotent: true };
    const answer = await service(call).catch(async (error: unknown) => {
      if (error instanceof SignedOutError) await store.replace(session, null);
      throw error;
    });
    let { token } = session;
    if (answer.session && answer.session !== token) {
      token = answer.session;
      await store.replace(session, { token });
    }
    // Signed out while the service was asked.
    if ((await store.read())?.token !== token) throw signedOut();
    hold(answer.json.token, token, since);
    return answer.json.token;
  };

  /** One renewal at a time for each session. */
  const renew = (session: StoredSession): Promise<string> => {
    if (renewal?.session === session.token) return renewal.token;
    const find = () => (leftMs(session) > renewalMs ? held?.token : undefined);
    const token = tabs.shareToken(find, () => fetchToken(session));
    const mine = { session: session.token, token };
    const done = () => {
      if (renewal === mine) renewal = undefined;
    };
    renewal = mine;
    token.then(done, done);
    return token;
  };

  const get = async (last?: string): Promise<string> => {
    await ready();
    const session = await store.read();
    if (session === null) throw signedOut();
    if (last !== undefined && readSubject(last) !== session.user.id) throw signedOut();
    const left = leftMs(session);
    if (held === undefined || left <= 0) return renew(session);
    const { token } = held;
    if (left < renewalMs) {
      // The token in hand outlives a service that is away for a moment.
      renew(session).catch(() => {});
    }
    return token;
  };

  const tokens: TokenCache = {
    get,
    renew: async (refused) => {
      if (held?.token === refused) held = undefined;
      const token = await get(refused);
      return token === refused ? undefined : token;
    },
  };
  store.onChange(() => {
    if (held?.session !== store.current()?.token) held = undefined;
  });
  return { tokens, tabs };
}

/** How long a token is good for, in milliseconds: by its own claims, whatever the time is here. */
function lifeOf(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp, iat } = JSON.parse(atob(payload));
    return Number.isFinite(exp - iat) ? (exp - iat) * 1000 : 0;
  } catch {
    return 0; // No JWT: the API will say so.
  }
}
