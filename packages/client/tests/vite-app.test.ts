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

let api: Api;
let databaseUrl: string;
let app: string;

beforeAll(async () => {
  databaseUrl = await migratedClone();
  api = await startApi(databaseUrl);
  // Outside of the repository, so that nothing of it can be found from here.
  app = mkdtempSync(join(tmpdir(), "rowhouse-app-"));
});
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

test("an app elsewhere installs the packed client, compiles, builds and runs", async () => {
  // The build must come from packing: what lies in dist may be of yesterday.
  rmSync(join(packageRoot, "dist"), { recursive: true, force: true });
  await run("npm", ["pack", "--pack-destination", app], packageRoot);
  const tarball = `rowhouse-client-${version}.tgz`;
  const packed = (await run("tar", ["-tzf", tarball], app)).trim().split("\n");
  expect(packed).toEqual(
    expect.arrayContaining([
      "package/README.md",
      "package/dist/index.d.ts",
      "package/dist/index.js",
    ]),
  );
  expect(packed.filter((file) => /src\/|\.test\.|tsconfig/.test(file))).toEqual([]);

  const [install, types] = commands.trim().split("\n");
  expect(install).toBe("npm install @rowhouse/client");
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run(
    "npm",
    ["install", "--no-audit", "--no-fund", `./${tarball}`, "vite@7", "typescript@6"],
    app,
  );

  mkdirSync(join(app, "src"));
  expect(types).toBe("npx rowhouse types --output ../app/src/database.types.ts");
  const file = join(app, "src/database.types.ts");
  const written = await rowhouse(["types", "--output", file], {
    DATABASE_URL: databaseUrl,
    ROWHOUSE_HOME: newHome(),
  });
  expect(written).toMatchObject({ code: 0 });

  writeFileSync(join(app, "tsconfig.json"), JSON.stringify(tsconfig));
  writeFileSync(join(app, "vite.config.js"), viteConfig);
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
  await run("npx", ["tsc", "--noEmit"], app);
  const token = sign(claimsFor(userId));
  await run("npx", ["vite", "build"], app, { VITE_API_URL: api.url, VITE_TOKEN: token });
  const [bundle = ""] = readdirSync(join(app, "dist/assets"));
  expect(await run("node", [join("dist/assets", bundle)], app)).toBe("From an app\n");
}, 180_000);
