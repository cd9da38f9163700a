/**
 * A UUID, version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits. Those made
 * later sort later, down to the millisecond.
 */
export function uuidv7(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  // The version and the variant stand above random bits, in bytes 0 and 2.
  bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f);
  bytes[2] = 0x80 | ((bytes[2] ?? 0) & 0x3f);
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const hex = now.toString(16).padStart(12, "0") + random;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
