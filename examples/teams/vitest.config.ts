import { pgtapFiles } from "rowhouse/testing";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [pgtapFiles()],
  test: {
    include: ["tests/*.test.ts", "tests/http/*.test.ts", "tests/database/*.sql"],
    globalSetup: "rowhouse/testing/setup",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
