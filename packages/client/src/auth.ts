import { deadLink, signedInAsAnother, signedOut } from "./auth-errors.ts";
import { linkTarget, takeLink } from "./auth-link.ts";
import { createPasskey, getPasskey } from "./auth-passkeys.ts";
import { createService, type ServiceAnswer, type ServiceCall, serviceUrl } from "./auth-service.ts";
import {
  createSessionStore,
  pickUser,
  type SessionStore,
  type StoredSession,
} from "./auth-store.ts";
import { createTokens } from "./auth-tokens.ts";
import type {
  Auth,
  AuthOptions,
  AuthSession,
  LinkOptions,
  ListedSession,
  SignInResult,
} from "./auth-types.ts";
import { ApiError, SignedOutError } from "./errors.ts";
import type { CallOptions, ClientOptions } from "./options.ts";

export { AuthError, type AuthErrorCode, TooManyAttemptsError } from "./auth-errors.ts";
export type {
  Auth,
  AuthOptions,
  AuthSession,
  AuthStorage,
  AuthUser,
  LinkOptions,
  ListedSession,
  Passkey,
  SignInResult,
} from "./auth-types.ts";

/** Options of a client whose users sign in: `auth` stands in the place of `token`. */
export interface SignInOptions extends Omit<ClientOptions, "token"> {
  readonly auth: AuthOptions;
  readonly token?: never;
}

/**
 * Makes the sign-in of an app, once for each page. It sends nothing until it is used, unless the
 * page was reached by a link of a mail or from a provider: then it exchanges the code in its address.
 *
 * @example
 * const auth = createAuth({ url: "http://127.0.0.1:3001/auth" });
 * const db = createClient<Database, typeof tables>({ url, token: auth.tokens }, tables);
 */
export function createAuth(settings: AuthOptions): Auth {
  const key = settings.storageKey ?? "rowhouse.session";
  const service = createService(settings);
  const store = createSessionStore(settings, key);
  let state: string | null = null;
  let linkError: ApiError | undefined;
  let exchange: Promise<void> | undefined;
  const { tokens, tabs } = createTokens(store, service, key, async () => exchange);

  const page = (options?: Pick<LinkOptions, "redirectTo">) => linkTarget(key, options?.redirectTo);

  const read = async () => {
    await exchange;
    return store.read();
  };

  const write = async (session: StoredSession | null) => {
    await store.write(session);
    tabs.tellChange();
  };

  /** Keeps the session that an answer has begun. */
  const begin = async ({ session: token, json }: ServiceAnswer): Promise<AuthSession> => {
    if (token === null) throw signedOut();
    const session = { token, user: pickUser(json.user) };
    state = null;
    await write(session);
    return publish(session);
  };

  /** Sends a call without a session. */
  const ask = (path: string, body: object, { signal }: CallOptions = {}) =>
    service({ path, body, signal });

  /** Sends a call with the session, and keeps the one that the answer brings. */
  const callSignedIn = async (call: Omit<ServiceCall, "session">): Promise<ServiceAnswer> => {
    const session = await read();
    if (session === null) throw signedOut();
    const answer = await service({ ...call, session: session.token }).catch(
      async (error: unknown) => {
        if (error instanceof SignedOutError) await replace(session, null);
        throw error;
      },
    );
    // What the answer does not bring stays: another call may have brought a newer user meanwhile.
    const user = answer.json?.user;
    await replace(session, {
      token: answer.session ?? session.token,
      ...(user?.id && { user: pickUser(user) }),
    });
    return answer;
  };

  const askSignedIn = async (path: string, body?: object, { signal }: CallOptions = {}) =>
    (await callSignedIn({ path, signal, ...(body && { body }) })).json;

  const replace: SessionStore["replace"] = async (old, change) => {
    await store.replace(old, change);
    tabs.tellChange();
  };

  /** Ends the session here before the service is asked: no call that begins now uses it. */
  const end = async (path: string, { signal }: CallOptions = {}) => {
    const session = await read();
    if (session === null) return;
    await write(null);
    await service({ path, body: {}, session: session.token, signal, idempotent: true }).catch(
      (error: unknown) => {
        if (!(error instanceof SignedOutError)) throw error; // It had ended already.
      },
    );
  };

  /** Keeps the session of a link: of another user only when this browser has asked for the link. */
  const arrive = async (answer: ServiceAnswer, isOwn: boolean) => {
    const current = await store.read();
    // Before the listeners are called: they may look at `user`.
    exchange = undefined;
    if (isOwn || !current || current.user.id === answer.json.user.id) return begin(answer);
    const { session } = answer;
    if (session) service({ path: "/sign-out", body: {}, session }).catch(() => {});
    throw signedInAsAnother();
  };

  const link = takeLink(key);
  if (link?.error) linkError = deadLink(link.error);
  if (link?.code) {
    const body = { token: link.code };
    exchange = service({ path: "/one-time-token/verify", body, idempotent: true })
      .then((answer) => arrive(answer, link.isOwn))
      .then(
        () => {},
        (error: unknown) => {
          exchange = undefined;
          if (!(error instanceof ApiError)) throw error;
          linkError = error;
          store.notify();
        },
      );
  } else if (store.current() === undefined) {
    // A storage that takes its time; its failure is that of the calls which need it.
    store.read().catch(() => {});
  }

  return {
    get user() {
      if (exchange !== undefined) return undefined;
      const session = store.current();
      return session === null ? null : session?.user;
    },
    get linkError() {
      return linkError;
    },
    tokens,
    session: async () => publish(await read()),
    onChange: (listener) => store.onChange((session) => listener(publish(session))),

    signUp: async (account, options) => {
      const { email, password, name } = account;
      await ask("/sign-up/email", { email, password, name, callbackURL: page(options) }, options);
    },
    sendConfirmation: async (email, options) => {
      await ask("/send-verification-email", { email, callbackURL: page(options) }, options);
    },
    signIn: async ({ email, password }, options): Promise<SignInResult> => {
      const answer = await ask("/sign-in/email", { email, password }, options);
      if (answer.json.twoFactorRedirect === true) {
        state = answer.state;
        return { session: null, needsSecondFactor: true };
      }
      return { session: await begin(answer), needsSecondFactor: false };
    },
    confirmSecondFactor: async (factor, { signal } = {}) => {
      const [path, code] =
        "code" in factor
          ? ["/two-factor/verify-totp", factor.code]
          : ["/two-factor/verify-backup-code", factor.backupCode];
      return begin(await service({ path, body: { code }, signal, state }));
    },
    signInWithPasskey: async ({ signal } = {}) => {
      const asked = await service({ path: "/passkey/generate-authenticate-options", signal });
      const body = { response: await getPasskey(asked.json, signal) };
      const path = "/passkey/verify-authentication";
      return begin(await service({ path, body, signal, state: asked.state }));
    },
    sendMagicLink: async (email, options) => {
      await ask("/sign-in/magic-link", { email, callbackURL: page(options) }, options);
    },
    providerUrl: (provider, options) => {
      const query = new URLSearchParams({ provider });
      const callbackURL = page(options);
      if (callbackURL !== undefined) query.set("callbackURL", callbackURL);
      return `${serviceUrl(settings, "/sign-in/redirect")}?${query}`;
    },

    requestReset: async (email, options) => {
      await ask("/request-password-reset", { email, redirectTo: page(options) }, options);
    },
    resetPassword: async ({ token, newPassword }, options) => {
      await ask("/reset-password", { token, newPassword }, options);
    },
    changePassword: async ({ currentPassword, newPassword }, options) => {
      const body = { currentPassword, newPassword, revokeOtherSessions: true };
      await askSignedIn("/change-password", body, options);
    },
    changeEmail: async (newEmail, options) => {
      await askSignedIn("/change-email", { newEmail, callbackURL: page(options) }, options);
    },
    updateUser: async (change, options) => {
      await askSignedIn("/update-user", change, options);
      await askSignedIn("/get-session", undefined, options);
    },

    prepareSecondFactor: async (password, options) => {
      const { totpURI, backupCodes } = await askSignedIn(
        "/two-factor/enable",
        { password },
        options,
      );
      return { uri: totpURI, backupCodes };
    },
    turnOnSecondFactor: async (code, options) => {
      await askSignedIn("/two-factor/verify-totp", { code }, options);
    },
    turnOffSecondFactor: async (password, options) => {
      await askSignedIn("/two-factor/disable", { password }, options);
    },

    addPasskey: async (name, { signal } = {}) => {
      const asked = await callSignedIn({ path: "/passkey/generate-register-options", signal });
      const body = { response: await createPasskey(asked.json, signal), name };
      const path = "/passkey/verify-registration";
      return (await callSignedIn({ path, body, signal, state: asked.state })).json;
    },
    listPasskeys: (options) => askSignedIn("/passkey/list-user-passkeys", undefined, options),
    removePasskey: async (id, options) => {
      await askSignedIn("/passkey/delete-passkey", { id }, options);
    },

    listSessions: async (options) => {
      const sessions: ServiceSession[] = await askSignedIn("/list-sessions", undefined, options);
      const here = store.current()?.token ?? "";
      return sessions.map((session) => list(session, here));
    },
    endSession: async (id, options) => {
      await askSignedIn("/revoke-session", { token: id }, options);
    },
    endOtherSessions: async (options) => {
      await askSignedIn("/revoke-other-sessions", {}, options);
    },
    signOut: (options) => end("/sign-out", options),
    signOutEverywhere: async (options) => {
      await askSignedIn("/revoke-sessions", {}, options);
      await write(null);
    },
    deleteAccount: async (password, options) => {
      await askSignedIn("/delete-user", password === undefined ? {} : { password }, options);
      await write(null);
    },
  };
}

/** What the service says of a session. */
interface ServiceSession {
  readonly token: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly ipAddress?: string | null;
  readonly userAgent?: string | null;
}

/** @param here The signed token of the session in use: the service lists them without signatures. */
function list(session: ServiceSession, here: string): ListedSession {
  const { token, createdAt, expiresAt, ipAddress = null, userAgent = null } = session;
  const current = here.startsWith(`${token}.`);
  return { id: token, current, createdAt, expiresAt, ipAddress, userAgent };
}

/** A session without its token. */
function publish(session: StoredSession): AuthSession;
function publish(session: StoredSession | null): AuthSession | null;
function publish(session: StoredSession | null): AuthSession | null {
  return session && { user: session.user };
}
