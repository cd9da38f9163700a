import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { waitFor } from "rowhouse/testing";
import { expect, inject, onTestFinished, test } from "vitest";
import { findChromium } from "./chromium.ts";
import { type Example, launchExample } from "./example.ts";
import { projectRoot } from "./project.ts";

/** A folder that ends with the test. */
function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-browser-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function launch(
  home: string,
  ports?: { apiPort?: string; authPort?: string },
): Promise<Example> {
  const example = await launchExample(home, ports);
  onTestFinished(async () => {
    await example.end("SIGKILL");
  });
  return example;
}

const answers = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

test("the example starts a stack and a page, prints the page's address last, and Ctrl-C stops both", async () => {
  const example = await launch(join(newFolder(), "home"));
  const pageUrl = await example.pageUrl();
  expect(example.printed().stdout.trimEnd().split("\n").at(-1)).toBe(`The page: ${pageUrl}`);
  expect(await Promise.all([answers(pageUrl), answers(example.apiUrl)])).toEqual([true, true]);

  expect(await example.end("SIGINT")).toBe(0);
  expect(await Promise.all([answers(pageUrl), answers(example.apiUrl)])).toEqual([false, false]);
  expect(readdirSync(example.home)).not.toContain("stack.json");
});

test("where a stack runs already, the page uses that one, and leaves it running", async () => {
  const example = await launch(inject("exampleHome"), {
    authPort: new URL(inject("authUrl")).port,
  });
  const pageUrl = await example.pageUrl();
  expect(example.printed().stdout).toContain(`The API:  ${inject("apiUrl")}\n`);
  const token = await (await fetch(`${pageUrl}dev/token?for=bob`)).text();
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${inject("apiUrl")}/tasks`, { headers })).status).toBe(200);

  expect(await example.end("SIGINT")).toBe(0);
  expect(await answers(inject("apiUrl"))).toBe(true);
});

test("mail that the sign-in service keeps is printed with its link", async () => {
  const ports = { authPort: new URL(inject("authUrl")).port };
  const example = await launch(inject("exampleHome"), ports);
  await example.pageUrl();
  const email = "printed@example.com";
  const asked = await fetch(`${inject("authUrl")}/sign-in/magic-link`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email }),
  });
  expect(asked.status).toBe(200);
  const printed = new RegExp(`^Mail for ${email}: Sign in\n {2}(http\\S+)$`, "m");
  const link = () => printed.exec(example.printed().stdout)?.[1];
  expect(await waitFor(link, 20, 20_000)).toContain(inject("authUrl"));
});

test("a bad setting is refused as by `rowhouse start`", async () => {
  const example = await launch(join(newFolder(), "home"), { apiPort: "many" });
  expect(await example.ended).toBe(1);
  expect(example.printed().stderr).toContain("error [settings_invalid]");
});

test("the page's server gives tokens to this page alone, and no secret to anybody", async () => {
  const page = inject("pageUrl");
  expect((await fetch(`${page}dev/token?for=mallory`)).status).toBe(404);

  const headers = { origin: "https://elsewhere.example" };
  const asked = await fetch(`${page}dev/token?for=alice`, { headers });
  expect(asked.headers.get("access-control-allow-origin")).toBeNull();

  const secret = readFileSync(join(inject("exampleHome"), "jwt-secret"), "utf8");
  for (const query of ["", "?raw", "?url", "?import&raw"]) {
    const answer = await fetch(`${page}@fs${inject("exampleHome")}/jwt-secret${query}`);
    expect(await answer.text()).not.toContain(secret);
    expect(answer.status, query).toBe(403);
  }
  // The usual home lies in the project, of which no more is served than the page needs.
  expect((await fetch(`${page}@fs${projectRoot}/package.json?raw`)).status).toBe(403);
});

test("the page builds for browsers, without the server's part", async () => {
  const outDir = newFolder();
  const vite = join(projectRoot, "node_modules/vite/bin/vite.js");
  await promisify(execFile)(process.execPath, [vite, "build", "--outDir", outDir], {
    cwd: join(projectRoot, "examples/web"),
  });
  const files = readdirSync(join(outDir, "assets")).filter((name) => name.endsWith(".js"));
  const code = files.map((name) => readFileSync(join(outDir, "assets", name), "utf8")).join("");
  expect(code.length).toBeGreaterThan(10_000);
  expect(code).not.toMatch(/from\s*"node:|jsonwebtoken|jwt-secret/);
});

test("without a Chromium the tests say how to get one", () => {
  expect(() => findChromium({ PATH: newFolder() })).toThrow("apt install chromium");
  expect(findChromium({ CHROMIUM_PATH: "/opt/chrome" })).toBe("/opt/chrome");
});
