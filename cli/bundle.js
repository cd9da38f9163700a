import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const cache = join(import.meta.dirname, "../node_modules/.cache/rowhouse");
const longMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Node 20 does not run TypeScript. The command is bundled once for each state of its sources, which
 * takes a fifth of a second and makes each later call twice as fast as transforming file by file.
 * Nothing can be stale: the bundle's folder is named after a hash of every source.
 *
 * @returns {Promise<string>} The URL of the bundled main.ts.
 */
export async function bundled() {
  const dir = join(cache, hashOfSources());
  if (!existsSync(dir)) await bundle(dir);
  return pathToFileURL(join(dir, "main.js")).href;
}

function hashOfSources() {
  const hash = createHash("sha256")
    .update(import.meta.dirname)
    .update(process.version);
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => /\.[tj]s$/.test(name)).sort()) {
    hash.update(file).update(readFileSync(join(import.meta.dirname, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Made aside and renamed when complete, so that of two makers one wins and nobody reads half. */
async function bundle(dir) {
  const { build } = await import("esbuild");
  const draft = `${dir}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  await build({
    entryPoints: [join(import.meta.dirname, "main.ts")],
    outdir: draft,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    logLevel: "silent",
    plugins: [{ name: "places", setup: keepPlaces }],
  });
  try {
    renameSync(draft, dir);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(dir)) throw error;
  }
  sweep();
}

/** A source knows its own place by import.meta: the bundle is somewhere else. */
function keepPlaces(build) {
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
    contents: readFileSync(path, "utf8")
      .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
      .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
    loader: "ts",
  }));
}

/** What was made long ago goes; a stack that runs for weeks loads nothing any more. */
function sweep() {
  for (const name of readdirSync(cache)) {
    const dir = join(cache, name);
    if (Date.now() - statSync(dir).mtimeMs > longMs) rmSync(dir, { recursive: true, force: true });
  }
}
