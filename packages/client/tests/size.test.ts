import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, transformWithEsbuild } from "vite";
import { expect, test } from "vitest";

import { packageRoot } from "./compile.ts";

/** Everything that the client exports, bundled for a browser and minified. */
async function bundle(): Promise<string> {
  const lib = { entry: join(packageRoot, "src/index.ts"), formats: ["es" as const] };
  const built = await build({
    configFile: false,
    logLevel: "silent",
    build: { write: false, minify: false, lib },
  });
  const [output] = Array.isArray(built) ? built : [];
  const code =
    output?.output.map((file) => (file.type === "chunk" ? file.code : "")).join("") ?? "";
  // For a library Vite itself leaves white space in.
  return (await transformWithEsbuild(code, "client.js", { minify: true })).code;
}

test("the client with everything in it stays under 14 kB, and needs nothing of Node.js", async () => {
  const code = await bundle();
  expect(code).not.toMatch(/from\s*"node:|require\(/);
  expect(code.length).toBeGreaterThan(10_000);
  expect(gzipSync(code).length).toBeLessThan(14_000);
});
