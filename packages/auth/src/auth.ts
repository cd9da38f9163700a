import { betterAuth } from "better-auth";
import { jwt, magicLink, oneTimeToken, twoFactor } from "better-auth/plugins";
import { genericOAuth } from "better-auth/plugins/generic-oauth";
import { PostgresDialect } from "kysely";
import type pg from "pg";
import { limitAttempts } from "./attempts.ts";
import type { Background } from "./background.ts";
import { clientAddressHeader } from "./client-address.ts";
import { log } from "./log.ts";
import type { Mailer } from "./mail/mailer.ts";
import {
  accountExists,
  confirmAddress,
  confirmNewAddress,
  type Message,
  resetPassword,
  signInByLink,
} from "./mail/messages.ts";
import { allowedOrigins } from "./origins.ts";
import { passkeys } from "./passkeys.ts";
import { linkLifetime } from "./renew-link.ts";
import { versionedSecrets } from "./secrets.ts";
import type { AuthSettings } from "./settings.ts";
import { schemaName, tables } from "./tables.ts";

/** How long each thing lasts, in seconds. */
export const lifetimes = {
  /** A token for the API: as long as one that was issued works after a sign-out. */
  token: 5 * 60,
  session: 30 * 24 * 60 * 60,
  /** A link in a mail. */
  link: linkLifetime,
  /** A magic link, which signs in by itself. */
  magicLink: 10 * 60,
};

/** What the service stands on. */
export interface Dependencies {
  readonly settings: AuthSettings;
  readonly pool: pg.Pool;
  readonly mail: Mailer;
  /** Takes work that no answer waits for. */
  readonly background: Background;
}

/** Better Auth, set up for this database: https://www.better-auth.com/docs/reference/options */
export type Auth = ReturnType<typeof createAuth>;

/** Sets Better Auth up. */
export function createAuth({ settings, pool, mail, background }: Dependencies) {
  // No answer waits for a mail: neither its time nor its failure tells whether an address has an account.
  const send = async (to: string, message: Message) => background(mail(to, message));
  return betterAuth({
    appName: "Rowhouse",
    baseURL: settings.url.origin,
    basePath: settings.url.pathname,
    secrets: versionedSecrets(settings),
    trustedOrigins: [settings.url.origin, ...allowedOrigins(settings)],
    database: {
      dialect: new PostgresDialect({ pool }),
      type: "postgres",
      schemaName,
      transaction: true,
    },
    user: {
      ...tables.user,
      changeEmail: {
        enabled: true,
        sendChangeEmailConfirmation: async ({ user, newEmail, url }) =>
          send(user.email, confirmNewAddress(url, newEmail)),
      },
      deleteUser: {
        enabled: true,
        // Better Auth deletes sessions, passwords and account one after the other. Here the account
        // goes at once, and the database deletes what is the user's in the same transaction.
        beforeDelete: async ({ id }) => {
          await pool.query("delete from identity.users where id = $1", [id]);
        },
      },
    },
    session: { ...tables.session, expiresIn: lifetimes.session, updateAge: 24 * 60 * 60 },
    account: {
      ...tables.account,
      encryptOAuthTokens: true,
      accountLinking: { enabled: true, requireLocalEmailVerified: true },
    },
    verification: { ...tables.verification, storeIdentifier: "hashed" },
    rateLimit: {
      ...tables.rateLimit,
      enabled: true,
      storage: "database",
      window: 60,
      max: 120,
      customRules: {
        "/sign-in/*": { window: 60, max: 30 },
        "/sign-up/*": { window: 60, max: 10 },
        "/request-password-reset": { window: 60, max: 10 },
        "/send-verification-email": { window: 60, max: 10 },
        "/two-factor/*": { window: 60, max: 10 },
        "/passkey/*": { window: 60, max: 30 },
      },
    },
    emailAndPassword: {
      enabled: true,
      // With it, sign-up answers alike whether the address has an account or not.
      requireEmailVerification: true,
      minPasswordLength: 8,
      maxPasswordLength: 128,
      revokeSessionsOnPasswordReset: true,
      resetPasswordTokenExpiresIn: lifetimes.link,
      sendResetPassword: async ({ user, url }) => send(user.email, resetPassword(url)),
      onExistingUserSignUp: async ({ user }) => send(user.email, accountExists()),
    },
    emailVerification: {
      sendOnSignUp: true,
      autoSignInAfterVerification: true,
      expiresIn: lifetimes.link,
      sendVerificationEmail: async ({ user, url }) => send(user.email, confirmAddress(url)),
    },
    plugins: [
      limitAttempts(pool),
      jwt({
        schema: { jwks: tables.jwks },
        disableSettingJwtHeader: true,
        jwks: { keyPairConfig: { alg: "ES256" }, gracePeriod: 0 },
        jwt: {
          issuer: settings.jwtIss,
          audience: settings.jwtAud,
          expirationTime: `${lifetimes.token}s`,
          definePayload: ({ user }) => ({
            role: "authenticated",
            ...(user.emailVerified ? { email: user.email } : {}),
          }),
        },
      }),
      oneTimeToken({ storeToken: "hashed", setOttHeaderOnNewSession: true, expiresIn: 1 }),
      magicLink({
        storeToken: "hashed",
        expiresIn: lifetimes.magicLink,
        sendMagicLink: async ({ email, url }) => send(email, signInByLink(url)),
      }),
      twoFactor({
        issuer: settings.url.hostname,
        schema: {
          user: { fields: { twoFactorEnabled: "two_factor_enabled" } },
          twoFactor: tables.twoFactor,
        },
      }),
      passkeys(pool, settings),
      genericOAuth({
        config: settings.providers.map(({ id, issuer, clientId, clientSecret }) => ({
          providerId: id,
          discoveryUrl: `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
          clientId,
          clientSecret,
          scopes: ["openid", "email", "profile"],
          pkce: true,
        })),
      }),
    ],
    advanced: {
      database: { generateId: "uuid" },
      // At an https address Better Auth would name its cookies otherwise than credentials.ts looks for them.
      useSecureCookies: false,
      defaultCookieAttributes: { secure: settings.url.protocol === "https:" },
      // No cookie authenticates a request, see credentials.ts.
      disableCSRFCheck: true,
      // Said explicitly: left out, Better Auth turns it off where NODE_ENV is "test".
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
      backgroundTasks: { handler: background },
    },
    telemetry: { enabled: false },
    // Thrown to server.ts, which answers without details and logs without the row at fault.
    onAPIError: { throw: true, errorURL: `${settings.url.href}/done` },
    logger: {
      level: "warn",
      log: (level, message) => log(`${level}: ${message}`),
    },
  });
}
