import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Apart from `npm test`: these need Debian's haproxy.
export default defineConfig({
  root: join(import.meta.dirname, "../.."),
  test: {
    include: ["tests/edge/**/*.test.ts"],
    globalSetup: "tests/edge/global-setup.ts",
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Its default is a second, which a busy machine needs for one request.
    expect: { poll: { timeout: 20_000 } },
  },
});
