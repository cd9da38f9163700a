import { join } from "node:path";
import { defineConfig } from "vitest/config";

const packageRoot = join(import.meta.dirname, "../..");

// Apart from `npm test`: these take longer, and some need Debian packages.
export default defineConfig({
  root: packageRoot,
  test: {
    include: ["tests/operations/**/*.test.ts"],
    globalSetup: "tests/support/global-setup.ts",
    maxWorkers: 3,
    env: { NO_COLOR: "1" },
    testTimeout: 180_000,
    hookTimeout: 60_000,
    // Its default is a second, which a busy machine needs for one request.
    expect: { poll: { timeout: 20_000 } },
  },
});
