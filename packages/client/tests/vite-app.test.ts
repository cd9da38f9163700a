import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "./compile.ts";
import {
  type Api,
  claimsFor,
  migratedClone,
  newHome,
  rowhouse,
  sign,
  startApi,
} from "./support.ts";

const userId = "01a1fc1a-1af7-7091-ae34-6701d416325b";
const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));

/** What the page tells a reader to write in an app. */
const [, section = ""] = readFileSync(join(packageRoot, "README.md"), "utf8").split(
  "## In an app elsewhere\n",
);
const [, commands = ""] = /```sh\n(.*?)```/s.exec(section) ?? [];
const [, code = ""] = /```ts\n(.*?)```/s.exec(section) ?? [];

/** As `npm create vite` writes it, as far as it matters here. */
const tsconfig = {
  compilerOptions: {
    target: "es2023",
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2023", "dom"],
    types: ["vite/client"],
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    noEmit: true,
    strict: true,
  },
  include: ["src"],
};

const viteConfig = `export default {
  // The test runs the code in Node.js, which has no document to preload into.
  build: { modulePreload: false, target: "es2023", rollupOptions: { input: "src/main.ts" } },
};
`;

const tarball = `rowhouse-client-${version}.tgz`;
const token = sign(claimsFor(userId));
let api: Api;
let databaseUrl: string;
let app: string;

beforeAll(async () => {
  databaseUrl = await migratedClone();
  api = await startApi(databaseUrl);
  // Outside of the repository, so that nothing of it can be found from here.
  app = mkdtempSync(join(tmpdir(), "rowhouse-app-"));
  mkdirSync(join(app, "src"));
  // The build must come from packing: what lies in dist may be older.
  rmSync(join(packageRoot, "dist"), { recursive: true, force: true });
  await run("npm", ["pack", "--pack-destination", app], packageRoot);
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const packages = [`./${tarball}`, "vite@7", "typescript@6"];
  await run("npm", ["install", "--no-audit", "--no-fund", ...packages], app);
}, 120_000);
afterAll(async () => {
  rmSync(app, { recursive: true });
  await api.stop();
});

/** Runs a program to its end in a folder, and fails with all that it has printed. */
async function run(program: string, args: readonly string[], cwd: string, env = {}) {
  try {
    const options = { cwd, env: { ...process.env, ...env } };
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
  }
}

test("the packed client has its build and its page, and nothing else", async () => {
  const files = (await run("tar", ["-tzf", tarball], app)).trim().split("\n");
  const others = files.filter((file) => !/^package\/dist\/[a-z-]+\.(d\.ts|js)$/.test(file));
  expect(others.sort()).toEqual(["package/LICENSE", "package/README.md", "package/package.json"]);
  expect(files).toEqual(
    expect.arrayContaining(["package/dist/index.js", "package/dist/index.d.ts"]),
  );
  expect(files.filter((file) => file.includes(".test."))).toEqual([]);
});

test("an app elsewhere, with the lines of the README, compiles, builds and runs", async () => {
  const [install, types] = commands.trim().split("\n");
  expect(install).toBe("npm install @rowhouse/client");
  expect(types).toBe("npx rowhouse types --output ../app/src/database.types.ts");
  const output = join(app, "src/database.types.ts");
  const env = { DATABASE_URL: databaseUrl, ROWHOUSE_HOME: newHome() };
  expect(await rowhouse(["types", "--output", output], env)).toMatchObject({ code: 0 });

  const [imports, line] = code.trim().split("\n\n");
  writeFileSync(
    join(app, "src/main.ts"),
    `${imports}
    const url: string = import.meta.env.VITE_API_URL;
    const token: string = import.meta.env.VITE_TOKEN;
    ${line}
    await client.me();
    const { title } = await client.tasks.create({ title: "From an app" });
    console.log(title);
    `,
  );
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify(tsconfig));
  writeFileSync(join(app, "vite.config.js"), viteConfig);
  await run("npx", ["tsc", "--noEmit"], app);
  await run("npx", ["vite", "build"], app, { VITE_API_URL: api.url, VITE_TOKEN: token });
  const [bundle = ""] = readdirSync(join(app, "dist/assets"));
  expect(await run("node", [join("dist/assets", bundle)], app)).toBe("From an app\n");
}, 60_000);

test("a program in plain Node.js runs with the packed client, and compiles as nodenext", async () => {
  const program = `
    import { createClient } from "@rowhouse/client";
    const db = createClient({ url: "${api.url}", token: "${token}" }, {});
    const { data } = await db.rest.from("users").select("id").throwOnError();
    console.log(Array.isArray(data));
  `;
  writeFileSync(join(app, "plain.mjs"), program);
  expect(await run("node", ["plain.mjs"], app)).toBe("true\n");
  const flags = ["--module", "nodenext", "--lib", "es2023,dom", "--strict", "--noEmit"];
  writeFileSync(join(app, "plain.mts"), program);
  await run("npx", ["tsc", "--ignoreConfig", "plain.mts", ...flags], app);
}, 60_000);
