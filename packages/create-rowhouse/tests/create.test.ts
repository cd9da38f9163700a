import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRowhouse, emptyFolder, filesBelow } from "./support/project.ts";
import { run } from "./support/run.ts";

const repository = join(import.meta.dirname, "../../..");
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ dir, remove } = emptyFolder());
});
afterEach(() => remove());

const read = (path: string) => readFileSync(join(dir, path), "utf8");

describe("npm create rowhouse my-app", () => {
  test("writes a project of at most 95 files, and prints the next two commands", async () => {
    const { code, stdout, stderr } = await createRowhouse(["my-app"], dir);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").slice(-3)).toEqual(["  cd my-app", "  npm install && npm start", ""]);
    expect(readdirSync(dir)).toEqual(["my-app"]);

    const files = filesBelow(join(dir, "my-app"));
    expect(files.length).toBeLessThanOrEqual(95);
    expect(new Set(files.map((file) => file.replace(/\/.*/, "")))).toEqual(
      new Set([
        ".env.example",
        ".gitignore",
        "AGENTS.md",
        "README.md",
        "client",
        "compose",
        "db",
        "docker-compose.yml",
        "docs",
        "package.json",
        "pnpm-workspace.yaml",
        "policies",
        "postgrest.conf",
        "rowhouse.lock.json",
        "sql",
        "tests",
        "tsconfig.json",
        "vitest.config.ts",
      ]),
    );
    expect(files).toEqual(expect.arrayContaining(["docs/access.md", "docs/access.svg"]));
    expect(files.filter((file) => file.includes("dot-"))).toEqual([]);
  });

  test("writes what the repository has, and packages of its own version", async () => {
    await createRowhouse(["my-app"], dir);
    const same = filesBelow(join(dir, "my-app")).filter((file) =>
      /^(sql|policies|db|client|compose|docs|tests)\/|^(postgrest\.conf|vitest\.config\.ts|docker-compose\.yml|AGENTS\.md)$/.test(
        file,
      ),
    );
    for (const file of same) {
      expect(read(join("my-app", file)), file).toBe(readFileSync(join(repository, file), "utf8"));
    }
    expect(JSON.parse(read("my-app/package.json"))).toMatchObject({
      name: "my-app",
      private: true,
      scripts: { start: "rowhouse start", test: "vitest run", check: "tsc --noEmit" },
      dependencies: { "@rowhouse/client": `^${version}`, rowhouse: `^${version}` },
    });
    expect(read("my-app/README.md")).toMatch(/^# my-app\n/);
  });

  test("writes down what belongs to the tool, as it wrote it", async () => {
    await createRowhouse(["my-app"], dir);
    const lock = JSON.parse(read("my-app/rowhouse.lock.json"));
    expect(lock.version).toBe(version);
    const owned = filesBelow(join(dir, "my-app")).filter((file) =>
      /^(sql\/request\/|sql\/private\/|compose\/|postgrest\.conf$)/.test(file),
    );
    expect(Object.keys(lock.files)).toEqual(owned);
    for (const file of owned) expect(lock.files[file]).toBe(read(join("my-app", file)));
  });

  test("has no link to a file that a project has not", async () => {
    await createRowhouse(["my-app"], dir);
    const project = join(dir, "my-app");
    const missing = filesBelow(project).flatMap((file) =>
      [
        ...read(join("my-app", file)).matchAll(
          /\b(?:docs|tests|compose|examples|packages)\/[\w./-]*\w/g,
        ),
      ]
        .map(([path]) => path)
        .filter((path) => !existsSync(join(project, path)) && !/\bnotes\b/.test(path))
        .map((path) => `${file}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test("has a .gitignore that keeps secrets, data and packages out of git", async () => {
    await createRowhouse(["my-app"], dir);
    const project = join(dir, "my-app");
    await run("git", ["init", "--quiet"], project);
    for (const path of [
      ".env",
      ".rowhouse/data",
      "certificates/edge.pem",
      "node_modules/x",
      "db/schema.sql",
    ]) {
      expect(await run("git", ["check-ignore", "--quiet", path], project), path).toMatchObject({
        code: 0,
      });
    }
    expect(await run("git", ["check-ignore", "--quiet", ".env.example"], project)).toMatchObject({
      code: 1,
    });
  });

  test("names the package after the last folder of a path, and creates those above", async () => {
    const { code, stdout } = await createRowhouse(["apps/web/tasks-api"], dir);
    expect(code).toBe(0);
    expect(stdout).toContain("  cd apps/web/tasks-api\n");
    expect(JSON.parse(read("apps/web/tasks-api/package.json")).name).toBe("tasks-api");
  });

  test("lets the user's umask decide who may read the folder", async () => {
    await createRowhouse(["my-app"], dir);
    mkdirSync(join(dir, "other"));
    expect(statSync(join(dir, "my-app")).mode).toBe(statSync(join(dir, "other")).mode);
  });

  test.each([
    ["pnpm", "pnpm install && pnpm start"],
    ["yarn", "yarn install && yarn start"],
    ["bun", "bun install && bun run start"],
  ])("prints the commands of %s when that started it", async (manager, command) => {
    const main = join(import.meta.dirname, "../dist/main.js");
    const env = { npm_config_user_agent: `${manager}/1.0.0 npm/? node/v22.0.0 linux x64` };
    const { stdout } = await run(process.execPath, [main, "my-app"], dir, env);
    expect(stdout).toContain(`  ${command}\n`);
  });
});

describe("A folder that is there already", () => {
  test("is filled when it is empty but for .git, and keeps its name", async () => {
    mkdirSync(join(dir, "My App/.git"), { recursive: true });
    writeFileSync(join(dir, "My App/.git/HEAD"), "ref: refs/heads/main\n");
    const { code, stdout } = await createRowhouse(["."], join(dir, "My App"));
    expect(code).toBe(0);
    expect(stdout).not.toContain("cd ");
    expect(JSON.parse(read("My App/package.json")).name).toBe("my-app");
    expect(read("My App/.git/HEAD")).toBe("ref: refs/heads/main\n");
    expect(readdirSync(join(dir, "My App")).filter((name) => name.includes("create"))).toEqual([]);
  });

  test("is refused when it is not empty, and left as it is", async () => {
    mkdirSync(join(dir, "my-app"));
    for (const name of ["a", "b", "c", "d", "e", "f", "g"])
      writeFileSync(join(dir, "my-app", name), "");
    await expectRefusal(["my-app"], "my-app is not empty: it holds a, b, c, d, e and 2 more.");
    expect(readdirSync(join(dir, "my-app"))).toHaveLength(7);
    expect(readdirSync(dir)).toEqual(["my-app"]);
  });
});

describe("A folder that cannot be created", () => {
  test("is refused when a file is in its place", async () => {
    writeFileSync(join(dir, "my-app"), "mine");
    await expectRefusal(["my-app"], "my-app is there already, and is no folder.");
    expect(read("my-app")).toBe("mine");
  });

  test("is refused when a link to nothing is in its place", async () => {
    symlinkSync("nowhere", join(dir, "my-app"));
    await expectRefusal(["my-app"], "my-app is there already, and is no folder.");
  });

  test("is refused when a file is above it", async () => {
    writeFileSync(join(dir, "file"), "mine");
    await expectRefusal(["file/my-app"], `${join(dir, "file")} is no folder`);
  });

  test.each([
    ["My App", "Try my-app instead."],
    ["apps/My App", "Try apps/my-app instead."],
    ["_private", "Try private instead."],
    ["node_modules", "Try my-app instead."],
  ])("is refused when npm does not accept the name %j", async (name, suggestion) => {
    await expectRefusal([name], "cannot be the name of an npm package", suggestion);
    expect(readdirSync(dir)).toEqual([]);
  });

  // Root may write everywhere: the command runs as another user.
  test.runIf(process.getuid?.() === 0)("is refused when its parent is not writable", async () => {
    chmodSync(dir, 0o755);
    const copy = join(dir, "packed");
    await run("cp", ["-r", join(import.meta.dirname, ".."), copy], dir);
    await run("chmod", ["-R", "a+rX", copy], dir);
    const args = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath];
    const { code, stderr } = await run("setpriv", [...args, "packed/dist/main.js", "my-app"], dir);
    expect(code).toBe(1);
    expect(stderr).toContain(`Cannot write to ${dir}`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(readdirSync(dir)).toEqual(["packed"]);
  });
});

// Root alone may mount a file system, which is too small here.
test.runIf(process.getuid?.() === 0)("A full disk leaves nothing half-done", async () => {
  const main = join(import.meta.dirname, "../dist/main.js");
  const lines = [
    `mount -t tmpfs -o size=64k tmpfs ${dir}`,
    `cd ${dir} && mkdir empty`,
    `"${process.execPath}" ${main} my-app; "${process.execPath}" ${main} apps/my-app`,
    `"${process.execPath}" ${main} empty`,
    "find .",
  ];
  const { stdout, stderr } = await run("unshare", ["--mount", "sh", "-c", lines.join("\n")], dir);
  expect(stderr.match(/^error: Cannot write the project to .*ENOSPC/gm)).toHaveLength(3);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stdout).toBe(".\n./empty\n");
});

describe("The command", () => {
  test("prints its help and its version", async () => {
    const help = await createRowhouse(["--help"], dir);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toMatch(/^Usage: npm create rowhouse \[folder\]\n/);
    expect(await createRowhouse(["--version"], dir)).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
    });
    expect(readdirSync(dir)).toEqual([]);
  });

  test("wants the folder as an argument where there is no terminal", async () => {
    await expectRefusal([], "Give the folder", "Usage: npm create rowhouse <folder>");
  });

  test("refuses more than one folder, and options that it does not know", async () => {
    await expectRefusal(["a", "b"], "Give one folder, not 2.");
    await expectRefusal(["--force", "a"], "Unknown option '--force'");
    expect(readdirSync(dir)).toEqual([]);
  });

  test("takes my-app when Enter is pressed on a terminal", async () => {
    const main = join(import.meta.dirname, "../dist/main.js");
    const line = `printf '\\n' | script --quiet --return --command "${process.execPath} ${main}" /dev/null`;
    const { code, stdout } = await run("bash", ["-c", line], dir);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toContain("Folder of the project (my-app): ");
    expect(existsSync(join(dir, "my-app/package.json"))).toBe(true);
  });
});

/** Runs the command, which has to fail with these texts, without a stack trace. */
async function expectRefusal(args: readonly string[], ...texts: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await createRowhouse(args, dir);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  for (const text of texts) expect(stderr).toContain(text);
  expect(stderr).not.toMatch(/^ +at /m);
}
