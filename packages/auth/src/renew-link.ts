import { jwtVerify, SignJWT } from "jose";

/** How long a link to confirm an address works, in seconds. */
export const linkLifetime = 30 * 60;

/**
 * Signs the token of a link anew that an older secret has signed: Better Auth knows the newest alone.
 * Only as long after a start as links live, since the secrets have changed with a start. So an older
 * one that is known to others makes no new links for long.
 *
 * @param url Of the link; changed where its token is.
 * @param secrets The newest first.
 * @param uptime For how many seconds the service has been running.
 */
export async function renewLink(
  url: URL,
  [newest, ...older]: readonly [string, ...string[]],
  uptime = process.uptime(),
): Promise<void> {
  if (uptime > linkLifetime) return;
  const token = url.searchParams.get("token") ?? "";
  for (const secret of older) {
    const verified = await jwtVerify(token, bytes(secret), { algorithms: ["HS256"] }).catch(
      () => undefined, // Of another secret, or too old.
    );
    if (verified === undefined) continue;
    const renewed = new SignJWT(verified.payload).setProtectedHeader({ alg: "HS256" });
    return url.searchParams.set("token", await renewed.sign(bytes(newest)));
  }
}

const bytes = (secret: string) => new TextEncoder().encode(secret);
