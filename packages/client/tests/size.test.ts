import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { packageRoot } from "./compile.ts";

/** An app, bundled for a browser and minified. */
async function bundle(app: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: app, resolveDir: packageRoot, loader: "ts" },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
  });
  return outputFiles.map(({ text }) => text).join("");
}

const sizeOf = async (app: string) => gzipSync(await bundle(app)).length;

const client = `
  import { createClient } from "./src/index.ts";
  globalThis.db = createClient({ url: "", token: "" }, {});
`;

const methods = `
  import { connect, createMethod, listMethod } from "./src/index.ts";
  const connection = connect({ url: "", token: "" }, {});
  globalThis.methods = [createMethod(connection, "tasks"), listMethod(connection, "tasks")];
`;

test("a client with everything in it stays within 14 kB, and needs nothing of Node.js", async () => {
  const code = await bundle(client);
  expect(code).not.toMatch(/from\s*"node:|require\(/);
  expect(code.length).toBeGreaterThan(10_000);
  expect(gzipSync(code).length).toBeLessThanOrEqual(14 * 1024);
});

test("an app that lists and creates, and does no more, bundles two thirds of it", async () => {
  const [some, all] = await Promise.all([sizeOf(methods), sizeOf(client)]);
  expect(some).toBeLessThan((all * 2) / 3);
  expect(await bundle(methods)).not.toContain("PostgrestQueryBuilder");
});
