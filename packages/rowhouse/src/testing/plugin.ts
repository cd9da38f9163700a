import type { Plugin } from "vite";

/**
 * A plugin of Vitest that makes each pgTAP file (`tests/database/*.sql`) a test file: it runs on a
 * database of its own, and each of its assertions is a test with its own name.
 */
export function pgtapFiles(): Plugin {
  return {
    name: "pgtap-files",
    enforce: "pre",
    transform(_code, id) {
      if (!/\/tests\/database\/[^/]+\.sql$/.test(id)) return undefined;
      const testing = import.meta.url.replace(/[^/]*$/, "");
      const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
      return {
        code: `
          import { expect, inject, test } from "vitest";
          import { cloneDatabase } from "${testing}database.${extension}";
          import { runPgtap } from "${testing}pgtap.${extension}";

          const url = await cloneDatabase(inject("pgtapTemplate"));
          for (const { name, ok, diagnosis } of await runPgtap(url, ${JSON.stringify(id)})) {
            test(name, () => expect(ok, diagnosis).toBe(true));
          }
        `,
        map: null,
      };
    },
  };
}
