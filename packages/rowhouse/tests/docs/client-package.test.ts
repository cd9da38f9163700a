import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, claimsFor, sign, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { projectRoot } from "../support/project.ts";

let api: Api;
let dir: string;

beforeAll(async () => {
  api = await startApi(await cloneDatabase());
  dir = mkdtempSync(join(tmpdir(), "rowhouse-package-"));
});
afterAll(async () => {
  rmSync(dir, { recursive: true });
  await api.stop();
});

test("the packed client works in plain Node.js, with types", () => {
  const source = join(dir, "source");
  cpSync(join(projectRoot, "client"), source, { recursive: true });
  cpSync(join(projectRoot, "tsconfig.json"), join(dir, "tsconfig.json"));
  symlinkSync(join(projectRoot, "node_modules"), join(dir, "node_modules"));
  const env = {
    ...process.env,
    PATH: `${join(projectRoot, "node_modules/.bin")}:${process.env.PATH}`,
  };
  const packed = execFileSync("npm", ["pack", "--json"], {
    cwd: source,
    env,
    encoding: "utf8",
    stdio: "pipe",
  });
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf("[\n"))) as [
    { filename: string; files: { path: string }[] },
  ];
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["dist/index.js", "dist/index.d.ts", "README.md"]),
  );
  expect(files.filter(({ path }) => path.startsWith("src/"))).toEqual([]);

  const app = join(dir, "app");
  const home = join(app, "node_modules/@rowhouse/client");
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", join(source, filename), "-C", home, "--strip-components=1"]);
  const token = sign(claimsFor("01a1fc1a-1af7-7091-ae34-6701d416325b"));
  writeFileSync(
    join(app, "app.mjs"),
    `import { createRowhouse } from "@rowhouse/client";
     const db = createRowhouse({ url: "${api.url}", token: "${token}" });
     await db.me();
     console.log((await db.tasks.create({ title: "From a package" })).title);`,
  );
  const output = execFileSync(process.execPath, ["app.mjs"], { cwd: app, encoding: "utf8" });
  expect(output).toBe("From a package\n");
});
