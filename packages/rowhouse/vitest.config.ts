import { defineConfig } from "vitest/config";
import { pgtapFiles } from "./src/testing/plugin.ts";

export default defineConfig({
  plugins: [pgtapFiles()],
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "tests/database/*.sql"],
    // They take longer or need Debian's packages: `npm run test:operations`, `npm run test:edge`, `npm run test:scale`.
    exclude: ["tests/operations/**", "tests/edge/**", "tests/scale/**"],
    globalSetup: "tests/support/global-setup.ts",
    // One more than the cores of CI: the tests of the command wait a good part of their time.
    maxWorkers: 3,
    // Files share the modules of their worker, which saves a third of the time: nothing in them keeps
    // what one file could leave for the next.
    isolate: false,
    // Texts are compared without colours, also where a terminal or FORCE_COLOR asks for them.
    env: { NO_COLOR: "1" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Its default is a second, which a busy machine needs for one request.
    expect: { poll: { timeout: 20_000 } },
  },
});
