import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

export default defineConfig({
  root,
  // The tests go through the project's binding, which must use the sources and not the last build.
  resolve: {
    alias: {
      "@rowhouse/client/auth": join(root, "src/auth.ts"),
      "@rowhouse/client": join(root, "src/index.ts"),
    },
  },
  test: {
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "end to end",
          include: ["tests/**/*.test.ts"],
          globalSetup: ["rowhouse/testing/setup", "tests/global-setup.ts"],
          // Files share the modules of their worker: nothing in them keeps state.
          isolate: false,
          env: { NO_COLOR: "1" },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Its default is a second, which a busy machine needs for one request.
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
});
