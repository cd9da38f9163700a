import { pgtapFiles } from "rowhouse/testing";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [pgtapFiles()],
  test: {
    include: ["tests/**/*.test.ts", "tests/database/*.sql"],
    // They need Chromium: `npm run test:browser`.
    exclude: ["tests/browser/**"],
    globalSetup: "rowhouse/testing/setup",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
