import { randomInt } from "node:crypto";
import { errorCode } from "../../src/lib/errors.ts";
import { assertFree } from "../../src/stack/ports.ts";

/** Ports from 10000 on, below those of freePort(): so many for each worker of a run. */
const share = 1250;
let next = randomInt(share);

/**
 * A port for a stack that a test starts. No server of a stack is given it meanwhile, as freePort() gives none
 * below 20000, and no other worker takes it.
 */
export async function stackPort(): Promise<string> {
  const first = 10_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 8) * share;
  for (let tries = 1; ; tries += 1) {
    next = (next + 1) % share;
    const port = first + next;
    try {
      await assertFree(port, "API_PORT");
      return String(port);
    } catch (error) {
      if (errorCode(error) !== "port_in_use" || tries === share) throw error;
    }
  }
}
