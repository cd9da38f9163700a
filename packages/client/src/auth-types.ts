import type { RetryOptions } from "./backoff.ts";
import type { ApiError } from "./errors.ts";
import type { CallOptions } from "./options.ts";
import type { TokenCache } from "./token.ts";

/** Where the session is kept: localStorage, or anything alike, as React Native's AsyncStorage. */
export interface AuthStorage {
  readonly getItem: (key: string) => string | null | Promise<string | null>;
  readonly setItem: (key: string, value: string) => unknown;
  readonly removeItem: (key: string) => unknown;
}

/** Options of `createAuth`. */
export interface AuthOptions {
  /** Address of the sign-in service: "https://api.example.com/auth". */
  readonly url: string;
  /**
   * Where the session is kept. Default: localStorage in a page; elsewhere, as on a server, memory,
   * so that no two users share it.
   */
  readonly storage?: AuthStorage;
  /** The name under which it is kept. Default "rowhouse.session". */
  readonly storageKey?: string;
  /** How long a call may take, in milliseconds. Default 10,000. */
  readonly timeout?: number;
  /** How a call that is safe to repeat is retried when the service is away; `false` for never. */
  readonly retry?: RetryOptions | false;
  /** Used instead of the global fetch. */
  readonly fetch?: typeof fetch;
}

/** Who is signed in. */
export interface AuthUser {
  /** The user's id in the database, `sub` in the token. */
  readonly id: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly image: string | null;
}

/** A session on this device. Its token is kept by `auth` alone. */
export interface AuthSession {
  readonly user: AuthUser;
}

/** One of the user's sessions, on whatever device. */
export interface ListedSession {
  /** Names it for `endSession`. It signs nobody in. */
  readonly id: string;
  /** Whether it is the one in use here. */
  readonly current: boolean;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
}

/** A passkey of the user, on whatever device. */
export interface Passkey {
  /** Names it for `removePasskey`. */
  readonly id: string;
  /** What the user calls it. */
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

/** How a sign-in went: the second factor is asked for where the user has one. */
export type SignInResult =
  | { readonly session: AuthSession; readonly needsSecondFactor: false }
  | { readonly session: null; readonly needsSecondFactor: true };

/** Options of calls that have the service send a mail with a link. */
export interface LinkOptions extends CallOptions {
  /**
   * The page that the link leads to. Default: the page that asks for it, without its query. What the
   * link leaves in the page's address, `createAuth` takes from there.
   */
  readonly redirectTo?: string;
}

/**
 * Sign-in: who is signed in here, and everything about accounts. Every method throws ApiErrors:
 * `AuthError` when the service refuses, `TooManyAttemptsError` (429), `SignedOutError` where a
 * session is needed and there is none, `UnavailableError`, `DeadlineError` and `AbortedError`.
 */
export interface Auth {
  /**
   * Who is signed in: null is nobody; undefined while that is not known, on a server, while a link
   * is being exchanged, or before a storage has answered.
   */
  readonly user: AuthUser | null | undefined;
  /** The session on this device, once it is known; null when nobody is signed in. It sends nothing. */
  readonly session: () => Promise<AuthSession | null>;
  /**
   * Calls a listener whenever `user` changes, by another tab, too.
   *
   * @returns What removes the listener.
   */
  readonly onChange: (listener: (session: AuthSession | null) => void) => () => void;
  /**
   * Why the link, or the provider, that led to this page signed nobody in; undefined when there was
   * none, or it did. INVALID_TOKEN and TOKEN_EXPIRED: too old, or used already. SIGNED_IN_AS_ANOTHER:
   * a link that another browser has asked for never takes the place of another user's session.
   */
  readonly linkError: ApiError | undefined;
  /** The tokens for the API, as `createClient({ url, token: auth.tokens }, tables)` takes them. */
  readonly tokens: TokenCache;

  /**
   * Makes an account, and has a link mailed that confirms the address and signs in. The answer is
   * the same for an address that has an account: its owner gets a mail that says so.
   *
   * @throws AuthError PASSWORD_TOO_SHORT (8 characters), PASSWORD_TOO_LONG (128), VALIDATION_ERROR.
   */
  readonly signUp: (
    account: { readonly email: string; readonly password: string; readonly name: string },
    options?: LinkOptions,
  ) => Promise<void>;
  /** Has the link that confirms an address mailed once more. The answer never tells whether it was. */
  readonly sendConfirmation: (email: string, options?: LinkOptions) => Promise<void>;
  /**
   * Signs in with a password.
   *
   * @returns The session; or that `confirmSecondFactor` comes next.
   * @throws AuthError INVALID_EMAIL_OR_PASSWORD, EMAIL_NOT_VERIFIED.
   */
  readonly signIn: (
    credentials: { readonly email: string; readonly password: string },
    options?: CallOptions,
  ) => Promise<SignInResult>;
  /**
   * Ends a sign-in that needs a second factor: with a code of the authenticator app, or with one of
   * the backup codes.
   *
   * @throws AuthError INVALID_CODE; after too long, or without `signIn` before it, another code.
   */
  readonly confirmSecondFactor: (
    factor: { readonly code: string } | { readonly backupCode: string },
    options?: CallOptions,
  ) => Promise<AuthSession>;
  /**
   * Signs in with a passkey, which the person chooses: call it when they press a button. It stands for
   * the password and the second factor.
   *
   * @throws AuthError PASSKEY_CANCELLED, PASSKEYS_NOT_SUPPORTED, PASSKEY_DOMAIN_INVALID;
   *   PASSKEY_REFUSED when the account does not know it, or it cannot be verified.
   */
  readonly signInWithPasskey: (options?: CallOptions) => Promise<AuthSession>;
  /** Has a link mailed that signs in, also where there is no account yet: then it makes one. */
  readonly sendMagicLink: (email: string, options?: LinkOptions) => Promise<void>;
  /** The address that a page goes to for a sign-in with a provider: `location.href = …`. */
  readonly providerUrl: (provider: string, options?: Pick<LinkOptions, "redirectTo">) => string;

  /** Has a link mailed that leads to a page, with `?token=` for `resetPassword`. */
  readonly requestReset: (email: string, options?: LinkOptions) => Promise<void>;
  /**
   * Sets another password. It ends every session of the user, and begins none.
   *
   * @throws AuthError INVALID_TOKEN for a link that is too old or was used.
   */
  readonly resetPassword: (
    reset: { readonly token: string; readonly newPassword: string },
    options?: CallOptions,
  ) => Promise<void>;
  /**
   * Changes the password, and ends all other sessions.
   *
   * @throws AuthError INVALID_PASSWORD when the current one is wrong.
   */
  readonly changePassword: (
    change: { readonly currentPassword: string; readonly newPassword: string },
    options?: CallOptions,
  ) => Promise<void>;
  /** Has a link mailed to the old address, and after it one to the new: then the address changes. */
  readonly changeEmail: (newEmail: string, options?: LinkOptions) => Promise<void>;
  /** Changes what the account says of the user. */
  readonly updateUser: (
    change: { readonly name?: string; readonly image?: string | null },
    options?: CallOptions,
  ) => Promise<void>;

  /**
   * Begins with a second factor: show the address as a QR code, keep the backup codes, then call
   * `turnOnSecondFactor` with a code of the app. Until then nothing changes.
   */
  readonly prepareSecondFactor: (
    password: string,
    options?: CallOptions,
  ) => Promise<{ readonly uri: string; readonly backupCodes: readonly string[] }>;
  /** @throws AuthError INVALID_CODE. */
  readonly turnOnSecondFactor: (code: string, options?: CallOptions) => Promise<void>;
  readonly turnOffSecondFactor: (password: string, options?: CallOptions) => Promise<void>;

  /**
   * Adds a passkey of this device, or of a security key or phone that the person chooses.
   *
   * @param name What the user will know it by.
   * @throws AuthError PASSKEY_CANCELLED, PASSKEYS_NOT_SUPPORTED, PASSKEY_EXISTS,
   *   PASSKEY_DOMAIN_INVALID, PASSKEY_REFUSED, and SESSION_NOT_FRESH after a day.
   */
  readonly addPasskey: (name?: string, options?: CallOptions) => Promise<Passkey>;
  readonly listPasskeys: (options?: CallOptions) => Promise<Passkey[]>;
  /** Removes one. The device goes on to offer it, and it signs nobody in. @throws AuthError PASSKEY_NOT_FOUND. */
  readonly removePasskey: (id: string, options?: CallOptions) => Promise<void>;

  /** All sessions of the user, on all devices. */
  readonly listSessions: (options?: CallOptions) => Promise<ListedSession[]>;
  /** Ends one of them. */
  readonly endSession: (id: string, options?: CallOptions) => Promise<void>;
  /** Ends all but the one in use here. */
  readonly endOtherSessions: (options?: CallOptions) => Promise<void>;
  /**
   * Ends the session. On this device it has ended in any case, also when this throws: then the
   * service does not know yet, and keeps the session for 30 days at most.
   */
  readonly signOut: (options?: CallOptions) => Promise<void>;
  /** Ends all sessions of the user, this one too. A token that is out works for 5 minutes at most. */
  readonly signOutEverywhere: (options?: CallOptions) => Promise<void>;
  /**
   * Deletes the account and every row of the user's.
   *
   * @param password Left out by who has none: then the session must be less than a day old.
   * @throws AuthError INVALID_PASSWORD, SESSION_NOT_FRESH.
   */
  readonly deleteAccount: (password?: string, options?: CallOptions) => Promise<void>;
}
