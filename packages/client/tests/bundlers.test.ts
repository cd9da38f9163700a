import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import webpack from "webpack";
import { packageRoot } from "./compile.ts";
import { runInEdge } from "./edge.ts";
import {
  type Api,
  claimsFor,
  cloneDatabase,
  projectRoot,
  sign,
  signIn,
  startApi,
} from "./support.ts";

// vite-app.test.ts does the same with Vite.

/** What a bundler made of the app, and what it complained about. */
interface Bundle {
  readonly code: string;
  readonly complaints: readonly string[];
}

const main = `
  import { createClient } from "@rowhouse/client";

  const tables = { tasks: { key: ["user_id", "id"], owner: "user_id", nullable: [], unsafeNumbers: [] } };

  export async function run(url, token) {
    const db = createClient({ url, token }, tables);
    const { items } = await db.tasks.list();
    return items.map(({ title }) => title);
  }
`;

let api: Api;
let app: string;

beforeAll(async () => {
  api = await startApi(await cloneDatabase());
  // Outside of the repository, so that its sources cannot be found from here.
  app = mkdtempSync(join(tmpdir(), "rowhouse-bundle-"));
  writeFileSync(join(app, "main.js"), main);
  installClient(join(app, "node_modules"));
});
afterAll(async () => {
  rmSync(app, { recursive: true });
  await api.stop();
});

/** The client as it is packed, built beside the package's own dist, which other tests rebuild. */
function installClient(modules: string): void {
  const client = join(modules, "@rowhouse/client");
  mkdirSync(client, { recursive: true });
  cpSync(join(packageRoot, "package.json"), join(client, "package.json"));
  const tsc = join(projectRoot, "node_modules/.bin/tsc");
  const flags = ["--project", "tsconfig.build.json", "--outDir", join(client, "dist")];
  execFileSync(tsc, flags, { cwd: packageRoot });
  symlinkSync(join(projectRoot, "node_modules/@supabase"), join(modules, "@supabase"));
}

async function bundleWithWebpack(): Promise<Bundle> {
  const output = { path: join(app, "webpack"), library: { name: "app", type: "var" } };
  const run = promisify<webpack.Configuration, webpack.Stats | undefined>(webpack);
  const stats = await run({
    context: app,
    entry: "./main.js",
    mode: "production",
    target: "web",
    output,
  });
  const { errors = [], warnings = [] } = stats?.toJson() ?? {};
  return {
    code: readFileSync(join(app, "webpack/main.js"), "utf8"),
    complaints: [...errors, ...warnings].map(({ message }) => message),
  };
}

async function bundleWithEsbuild(): Promise<Bundle> {
  const { outputFiles, errors, warnings } = await esbuild.build({
    absWorkingDir: app,
    entryPoints: ["main.js"],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    globalName: "app",
    platform: "browser",
    logLevel: "silent",
  });
  return {
    code: outputFiles[0]?.text ?? "",
    complaints: [...errors, ...warnings].map(({ text }) => text),
  };
}

test.each([
  ["webpack", bundleWithWebpack],
  ["esbuild", bundleWithEsbuild],
])(
  "%s bundles an app with the client, without a warning, and the app lists its rows",
  async (_, bundle) => {
    const { code, complaints } = await bundle();
    expect(complaints).toEqual([]);

    const user = await signIn(api);
    for (const title of ["Bread", "Milk"]) {
      const { status } = await user.ask("/tasks", { method: "POST", body: { title } });
      expect(status).toBe(201);
    }
    // Neither process nor Buffer is there: a polyfill that the bundle relied on would be in it.
    expect(code).not.toMatch(/\bprocess\.|\bBuffer\b|require\(/);
    const token = sign(claimsFor(user.id));
    expect(await runInEdge(code, { url: api.url, token })).toEqual(["Milk", "Bread"]);
  },
);
