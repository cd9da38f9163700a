import { defineConfig } from "vitest/config";
import { pgtapFiles } from "./tests/support/pgtap-plugin.ts";

export default defineConfig({
  plugins: [pgtapFiles()],
  test: {
    include: ["tests/**/*.test.ts", "tests/database/*.sql"],
    globalSetup: "tests/support/global-setup.ts",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
