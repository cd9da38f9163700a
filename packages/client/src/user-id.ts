const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The id of the user whom a provider's token names: what `request.user_id_for(iss, sub)` is in the
 * database. A sub that is a UUID is the id itself; any other becomes a UUID of version 8 (RFC 9562,
 * section 5.8) from the SHA-256 of iss, a line break and sub.
 *
 * @param iss The claim "iss" of the token.
 * @param sub The claim "sub" of the token.
 */
export async function userIdFor(iss: string, sub: string): Promise<string> {
  if (uuid.test(sub)) return sub.toLowerCase();
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${iss}\n${sub}`));
  const bytes = new Uint8Array(hash.slice(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 15) | 128;
  bytes[8] = ((bytes[8] ?? 0) & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
