import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type VerifiedAuthenticationResponse,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { BetterAuthPlugin } from "better-auth";
import {
  APIError,
  createAuthEndpoint,
  freshSessionMiddleware,
  sessionMiddleware,
} from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import type pg from "pg";
import { z } from "zod";
import { issueChallenge, takeChallenge } from "./passkey-challenge.ts";
import { passkeyDomain } from "./passkey-domain.ts";
import type { AuthSettings } from "./settings.ts";

/** What a browser's PublicKeyCredential becomes as JSON; @simplewebauthn/server checks the rest. */
const credential = z.looseObject({ id: z.string().min(1).max(2000) });

/** A passkey as the table has it. */
interface Passkey {
  readonly id: string;
  readonly user_id: string;
  readonly credential_id: string;
  readonly public_key: Uint8Array<ArrayBuffer>;
  readonly transports: string[];
}

/**
 * Passkeys (WebAuthn, https://www.w3.org/TR/webauthn-3/), below the paths of Better Auth's own plugin.
 * The person is always verified, by a fingerprint, face or PIN: so a passkey stands for the password
 * and the second factor together.
 */
export function passkeys(pool: pg.Pool, settings: AuthSettings) {
  const site = (headers: Headers | undefined) => {
    // server.ts has refused the origins that are not allowed.
    const origin = headers?.get("origin") ?? settings.url.origin;
    return { origin, domain: passkeyDomain(settings, origin) };
  };

  return {
    id: "passkeys",
    endpoints: {
      passkeyCreationOptions: createAuthEndpoint(
        "/passkey/generate-register-options",
        { method: "GET", use: [freshSessionMiddleware] },
        async (ctx) => {
          const { user } = ctx.context.session;
          const { rows } = await pool.query<Passkey>(
            "select credential_id, transports from identity.passkeys where user_id = $1",
            [user.id],
          );
          const options = await generateRegistrationOptions({
            rpName: settings.url.hostname,
            rpID: site(ctx.headers).domain,
            userID: new TextEncoder().encode(user.id),
            userName: user.email,
            userDisplayName: user.name || user.email,
            attestationType: "none",
            // An authenticator holds one passkey of a person.
            excludeCredentials: rows.map((row) => ({
              id: row.credential_id,
              transports: row.transports,
            })),
            authenticatorSelection: { residentKey: "required", userVerification: "required" },
          });
          await issueChallenge(ctx, `add ${user.id}`, options.challenge);
          return ctx.json(options);
        },
      ),

      addPasskey: createAuthEndpoint(
        "/passkey/verify-registration",
        {
          method: "POST",
          use: [freshSessionMiddleware],
          body: z.object({ response: credential, name: z.string().trim().max(200).default("") }),
        },
        async (ctx) => {
          const { user } = ctx.context.session;
          const { origin, domain } = site(ctx.headers);
          const expectedChallenge = await takeChallenge(ctx, `add ${user.id}`);
          const made = await verifyRegistrationResponse({
            response: ctx.body.response as never,
            expectedChallenge: expectedChallenge ?? refuse("BAD_REQUEST"),
            expectedOrigin: origin,
            expectedRPID: domain,
            requireUserVerification: true,
          }).catch(() => refuse("BAD_REQUEST"));
          const { id, publicKey, counter, transports } =
            made.registrationInfo?.credential ?? refuse("BAD_REQUEST");
          const { rows } = await pool.query(
            `insert into identity.passkeys
               (user_id, name, credential_id, public_key, counter, transports)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (credential_id) do nothing
             returning ${listed}`,
            [user.id, ctx.body.name, id, Buffer.from(publicKey), counter, transports ?? []],
          );
          return ctx.json(rows[0] ?? refuse("BAD_REQUEST"));
        },
      ),

      passkeyRequestOptions: createAuthEndpoint(
        "/passkey/generate-authenticate-options",
        { method: "GET" },
        async (ctx) => {
          // Of nobody in particular: the answer tells of no account.
          const options = await generateAuthenticationOptions({
            rpID: site(ctx.headers).domain,
            userVerification: "required",
          });
          await issueChallenge(ctx, "sign in", options.challenge);
          return ctx.json(options);
        },
      ),

      signInPasskey: createAuthEndpoint(
        "/passkey/verify-authentication",
        { method: "POST", body: z.object({ response: credential }) },
        async (ctx) => {
          const { origin, domain } = site(ctx.headers);
          const response = ctx.body.response as never;
          const expectedChallenge = await takeChallenge(ctx, "sign in");
          const { rows } = await pool.query<Passkey>(
            "select * from identity.passkeys where credential_id = $1",
            [ctx.body.response.id],
          );
          const passkey = rows[0] ?? refuse("UNAUTHORIZED");
          const checked = await verifyAuthenticationResponse({
            response,
            expectedChallenge: expectedChallenge ?? refuse("UNAUTHORIZED"),
            expectedOrigin: origin,
            expectedRPID: domain,
            requireUserVerification: true,
            credential: {
              id: passkey.credential_id,
              publicKey: passkey.public_key,
              counter: 0, // The database compares, see countUse.
            },
          }).catch(() => refuse("UNAUTHORIZED"));
          await countUse(pool, passkey, checked);
          const { internalAdapter } = ctx.context;
          const user =
            (await internalAdapter.findUserById(passkey.user_id)) ?? refuse("UNAUTHORIZED");
          const session = await internalAdapter.createSession(user.id);
          await setSessionCookie(ctx, { session, user });
          return ctx.json({ user });
        },
      ),

      listPasskeys: createAuthEndpoint(
        "/passkey/list-user-passkeys",
        { method: "GET", use: [sessionMiddleware] },
        async (ctx) => {
          const { rows } = await pool.query(
            `select ${listed} from identity.passkeys where user_id = $1 order by created_at, id`,
            [ctx.context.session.user.id],
          );
          return ctx.json(rows);
        },
      ),

      removePasskey: createAuthEndpoint(
        "/passkey/delete-passkey",
        { method: "POST", use: [sessionMiddleware], body: z.object({ id: z.uuid() }) },
        async (ctx) => {
          const { rowCount } = await pool.query(
            "delete from identity.passkeys where user_id = $1 and id = $2",
            [ctx.context.session.user.id, ctx.body.id],
          );
          if (rowCount === 0) {
            const message = "This account has no such passkey.";
            throw new APIError("NOT_FOUND", { code: "PASSKEY_NOT_FOUND", message });
          }
          return ctx.json({ status: true });
        },
      ),
    },
  } satisfies BetterAuthPlugin;
}

/** What a person is shown of their passkeys. */
const listed = 'id, name, created_at as "createdAt", last_used_at as "lastUsedAt"';

/** Whatever is wrong, the answer is the same: it does not tell which passkeys there are. */
function refuse(status: "BAD_REQUEST" | "UNAUTHORIZED"): never {
  throw new APIError(status, {
    code: "PASSKEY_REFUSED",
    message: "This passkey could not be verified.",
  });
}

/** Moves the counter on, in the database: of two uses with one count, the second is refused. */
async function countUse(
  pool: pg.Pool,
  { id }: Passkey,
  { verified, authenticationInfo }: VerifiedAuthenticationResponse,
): Promise<void> {
  if (!verified) refuse("UNAUTHORIZED");
  const { rowCount } = await pool.query(
    `update identity.passkeys
     set counter = $2, last_used_at = now()
     where id = $1
     and (counter < $2 or (counter = 0 and $2 = 0))`,
    [id, authenticationInfo.newCounter],
  );
  if (rowCount === 0) refuse("UNAUTHORIZED");
}
