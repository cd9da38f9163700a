/**
 * A UUID, version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits. Those made
 * later sort later, down to the millisecond.
 */
export function uuidv7(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(now) << 16n) | 0x7000n | randomBits(bytes));
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** 12 of the random bits, before they are written over. */
function randomBits(bytes: Uint8Array): bigint {
  return BigInt((((bytes[6] ?? 0) & 0x0f) << 8) | (bytes[7] ?? 0));
}
