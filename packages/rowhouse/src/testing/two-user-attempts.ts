import { claimsFor, sign } from "./api.ts";
import type { Backend } from "./backend.ts";
import { planTwoUserAttempts, type TwoUserAttempts } from "./two-users/run.ts";

/**
 * What two users and an anonymous caller try on each owned table of a backend, whatever its tables
 * are. Each attempt is a test; each table that is left out is named, with the reason:
 *
 * ```ts
 * const backend = await startBackend();
 * const { attempts, notTried, run } = await twoUserAttempts(backend);
 * for (const attempt of attempts) {
 *   test(attempt.name, async () => expect(await run(attempt)).toEqual([]));
 * }
 * for (const { name, reason } of notTried) test.skip(`${name}: ${reason}`);
 * ```
 */
export function twoUserAttempts(
  backend: Pick<Backend, "url" | "databaseUrl">,
): Promise<TwoUserAttempts> {
  return planTwoUserAttempts({
    ...backend,
    tokenFor: (user, role) => sign({ ...claimsFor(user), role }),
  });
}
