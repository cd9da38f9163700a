import { join } from "node:path";
import { defineConfig } from "vitest/config";

const projectRoot = join(import.meta.dirname, "../..");

// Apart from `npm test`, which must need nothing but npm: these need a Chromium.
export default defineConfig({
  root: projectRoot,
  test: {
    include: ["tests/browser/*.test.ts"],
    globalSetup: "tests/browser/global-setup.ts",
    // One page, with Alice and Bob on it, serves all tests.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
