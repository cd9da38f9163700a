import type { Plugin } from "vite";

/**
 * Makes each pgTAP file a test file of Vitest: it runs on a database of its own, and each of
 * its assertions is a test with its own name.
 */
export function pgtapFiles(): Plugin {
  return {
    name: "pgtap-files",
    enforce: "pre",
    transform(_code, id) {
      if (!/\/tests\/(tool-)?database\/[^/]+\.sql$/.test(id)) return undefined;
      return {
        code: `
          import { expect, inject, test } from "vitest";
          import { cloneDatabase } from "../support/database.ts";
          import { runPgtap } from "../../cli/pgtap/pgtap.ts";

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
