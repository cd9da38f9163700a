import { expect, test } from "vitest";
import { uuidv7 } from "./uuid.ts";

test("An id is a UUID of version 7 and of the RFC's variant", () => {
  for (let turn = 0; turn < 1000; turn += 1) {
    expect(uuidv7()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  }
});

test("An id begins with the milliseconds at which it was made", () => {
  const example = 0x017f22e279b0; // RFC 9562, appendix A.6
  expect(uuidv7(example).slice(0, 14)).toBe("017f22e2-79b0-");
  const before = Date.now();
  const time = Number.parseInt(uuidv7().replace("-", "").slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});

test.each([0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 2])("Ids sort by age around %i", (now) => {
  expect(uuidv7(now) < uuidv7(now + 1)).toBe(true);
});

test("No id is made twice, and each of the other bits is random", () => {
  const now = Date.now();
  const ids = Array.from({ length: 10_000 }, () => uuidv7(now));
  expect(new Set(ids).size).toBe(ids.length);
  const numbers = ids.map((id) => BigInt(`0x${id.replaceAll("-", "")}`));
  const random = (1n << 74n) - 1n;
  const some = numbers.reduce((all, one) => all | one);
  const every = numbers.reduce((all, one) => all & one);
  const changing = some & ~every;
  expect(changing).toBe((0xfffn << 64n) | (random & ((1n << 62n) - 1n)));
});
