import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    globalSetup: "tests/support/global-setup.ts",
    // Each file installs projects and runs whole stacks, on ports and in folders of its own.
    maxWorkers: 2,
    env: { NO_COLOR: "1" },
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
