import { setTimeout as delay } from "node:timers/promises";
import { AuthError } from "./errors.ts";
import {
  addKey,
  assertServiceSettings,
  type KeyContext,
  promoteKey,
  publishKeys,
  removeOtherKeys,
  removePublishedKeys,
  signProbe,
} from "./signing-keys.ts";

/** How a rotation goes. */
export interface Rotation {
  /** Where PostgREST answers: http://127.0.0.1:3000 */
  readonly apiUrl: string;
  /** Whether the old keys go at once, and not with the last token that they have signed. */
  readonly revoke: boolean;
  /** Takes a line for whoever waits. */
  readonly report: (line: string) => void;
}

const limitMs = 60_000;
const patienceMs = 3_000;

/**
 * Makes a new key and lets it sign when PostgREST knows it, so that no token is refused. Interrupted
 * at any point, it leaves keys that work; the next run removes what is left of this one.
 *
 * @throws AuthError rotation_running, settings_differ, secret_unknown, keys_not_loaded; then the old
 *   key goes on signing.
 */
export async function rotateKeys(context: KeyContext, rotation: Rotation): Promise<void> {
  const client = await context.pool.connect();
  try {
    const { rows } = await client.query<{ free: boolean }>(
      "select pg_try_advisory_lock(hashtext('rowhouse rotate keys')) as free",
    );
    if (rows[0]?.free !== true) {
      throw new AuthError(
        "rotation_running",
        "Another rotation of the keys is running.",
        "Wait for its end.",
      );
    }
    await replaceKey(context, rotation);
  } finally {
    // With its connection the lock ends.
    client.release(true);
  }
}

async function replaceKey(context: KeyContext, { apiUrl, revoke, report }: Rotation) {
  await assertServiceSettings(context);
  await removePublishedKeys(context);
  const id = await addKey(context, "never");
  await publishKeys(context);
  try {
    await waitUntilKnown(apiUrl, await signProbe(context, id), report);
  } catch (error) {
    await removePublishedKeys(context);
    await publishKeys(context);
    throw error;
  }
  await promoteKey(context, id);
  if (!revoke) return;
  await removeOtherKeys(context, id);
  await publishKeys(context);
}

async function waitUntilKnown(
  apiUrl: string,
  probe: string,
  report: Rotation["report"],
): Promise<void> {
  const start = performance.now();
  let patient = true;
  while (!(await isKnown(apiUrl, probe))) {
    const waited = performance.now() - start;
    if (waited > limitMs) {
      throw new AuthError(
        "keys_not_loaded",
        `PostgREST at ${apiUrl} did not load the new key within ${limitMs / 1000} s. The old key goes on signing.`,
        'Check that it answers there, reads AUTH_KEYS_FILE (jwt-secret = "@…") and hears notifications; else send it SIGUSR2 while the rotation runs.',
      );
    }
    if (patient && waited > patienceMs) {
      report("Waiting for PostgREST to load the new key. Behind a pooler, send it SIGUSR2.");
      patient = false;
    }
    await delay(50);
  }
}

/**
 * Whether PostgREST accepts the signature of a token. If not, it answers PGRST301 (12.0.2; 13 and later
 * also other PGRST30x); what the database says comes after, be it a refusal by request.check().
 */
async function isKnown(apiUrl: string, probe: string): Promise<boolean> {
  try {
    const response = await fetch(apiUrl, {
      headers: { Authorization: `Bearer ${probe}` },
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    return response.status < 500 && !/"code":\s*"PGRST30/.test(text);
  } catch {
    return false; // It starts, or does not answer.
  }
}
