import { isIP } from "node:net";
import { APIError } from "better-auth/api";
import type { AuthSettings } from "./settings.ts";

/**
 * The domain that the passkeys of a page belong to (the rp id of WebAuthn): AUTH_PASSKEY_DOMAIN, or else
 * the page's own host.
 *
 * @param origin Of the page: one that is allowed.
 * @throws APIError PASSKEY_DOMAIN_INVALID where browsers know no passkeys of it.
 */
export function passkeyDomain({ passkeyDomain }: AuthSettings, origin: string): string {
  const { hostname } = new URL(origin);
  const domain = passkeyDomain ?? hostname;
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) {
    return refuse("an address of numbers. While developing, open the page at localhost.");
  }
  if (hostname !== domain && !hostname.endsWith(`.${domain}`)) {
    return refuse(`${hostname}, which is not below ${domain} (AUTH_PASSKEY_DOMAIN).`);
  }
  return domain;
}

function refuse(reason: string): never {
  throw new APIError("BAD_REQUEST", {
    code: "PASSKEY_DOMAIN_INVALID",
    message: `There are no passkeys for a page at ${reason}`,
  });
}
