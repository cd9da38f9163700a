import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { pgtapFiles } from "./tests/support/pgtap-plugin.ts";

export default defineConfig({
  plugins: [pgtapFiles()],
  // The client as it stands, and not as it was built last.
  resolve: { alias: { "@rowhouse/client": join(import.meta.dirname, "client/src/index.ts") } },
  test: {
    include: ["tests/**/*.test.ts", "tests/database/*.sql", "tests/tool-database/*.sql"],
    // They need a Chromium or Debian's packages, and `npm test` must need nothing but npm: see
    // `npm run test:browser` and `npm run test:operations`.
    exclude: [...configDefaults.exclude, "tests/browser/**", "tests/operations/**"],
    globalSetup: "tests/support/global-setup.ts",
    // One more than the cores of CI: the tests of the command wait a good part of their time.
    maxWorkers: 3,
    // Files share the modules of their worker, which saves a third of the time: nothing in them keeps
    // what one file could leave for the next.
    isolate: false,
    // Texts are compared without colours, also where a terminal or FORCE_COLOR asks for them.
    env: { NO_COLOR: "1" },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
