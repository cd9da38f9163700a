import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    globalSetup: "tests/support/global-setup.ts",
    // Each file installs projects and runs whole stacks: one at a time.
    fileParallelism: false,
    env: { NO_COLOR: "1" },
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
