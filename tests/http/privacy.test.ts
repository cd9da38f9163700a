import { startBackend, twoUserAttempts } from "rowhouse/testing";
import { afterAll, expect, test } from "vitest";

// What two users and an anonymous caller try on each table whose rows have an owner. A new table is
// tried without a word here: what is left out is listed as skipped, with the reason.
const backend = await startBackend();
afterAll(() => backend.stop());

const { attempts, notTried, run } = await twoUserAttempts(backend);

for (const attempt of attempts) {
  test(attempt.name, async () => expect(await run(attempt)).toEqual([]));
}

for (const { name, reason } of notTried) test.skip(`${name}: ${reason}`);
