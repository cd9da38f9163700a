/**
 * A seed for tests that ask at random: TEST_SEED asks the same again. They name it when they fail.
 */
export function newSeed(): number {
  return Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e9));
}

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function randomly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
