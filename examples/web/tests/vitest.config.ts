import { defineConfig } from "vitest/config";

// Apart from `npm test`, which must need nothing but npm: these need a Chromium.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.test.ts", "../../teams/tests/browser/*.test.ts"],
    globalSetup: "global-setup.ts",
    // One page, with Alice and Bob on it, serves all tests.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Its default is a second, which a busy machine needs for one request.
    expect: { poll: { timeout: 20_000 } },
  },
});
