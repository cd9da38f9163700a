import type { GenericEndpointContext } from "better-auth";
import { generateRandomString } from "better-auth/crypto";

/** How long a person has to touch their authenticator, in seconds. */
const lifetime = 5 * 60;

/** Sets challenges apart from what other flows keep: no key of theirs is taken for one of these. */
const kind = "passkey:";

/**
 * Keeps a challenge until it is answered. The page gets what it is kept under as the state of a sign-in
 * under way (see credentials.ts): random, so that it needs no signature.
 *
 * @param purpose What the answer is for: it counts for nothing else.
 */
export async function issueChallenge(
  ctx: GenericEndpointContext,
  purpose: string,
  challenge: string,
): Promise<void> {
  const key = generateRandomString(32);
  // Those that nobody answered; other flows do the same when they look for theirs.
  await ctx.context.adapter.deleteMany({
    model: "verification",
    where: [{ field: "expiresAt", value: new Date(), operator: "lt" }],
  });
  await ctx.context.internalAdapter.createVerificationValue({
    identifier: `${kind}${key}`,
    value: JSON.stringify({ purpose, challenge }),
    expiresAt: new Date(Date.now() + lifetime * 1000),
  });
  const { name, attributes } = ctx.context.createAuthCookie("passkey", { maxAge: lifetime });
  ctx.setCookie(name, key, attributes);
}

/** Takes the challenge of this sign-in, once; undefined when there is none for the purpose, or it is too old. */
export async function takeChallenge(
  ctx: GenericEndpointContext,
  purpose: string,
): Promise<string | undefined> {
  const key = ctx.getCookie(ctx.context.createAuthCookie("passkey").name);
  if (!key) return undefined;
  const kept = await ctx.context.internalAdapter.consumeVerificationValue(`${kind}${key}`);
  const { purpose: meant, challenge } = JSON.parse(kept?.value ?? "{}");
  return meant === purpose ? challenge : undefined;
}
