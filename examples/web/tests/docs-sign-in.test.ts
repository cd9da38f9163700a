import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { freePort, waitFor } from "rowhouse/testing";
import { createServer } from "vite";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { projectRoot } from "./project.ts";
import { serveReactApp } from "./react-app.ts";

// The pages that docs/sign-in.md and docs/react.md build, with the real service.

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const password = "correct horse battery";

async function linkTo(email: string): Promise<string> {
  const dir = join(inject("exampleHome"), "mail");
  mkdirSync(dir, { recursive: true });
  const find = () => {
    const name = readdirSync(dir).find((each) => each.endsWith(`-${email}.txt`));
    return name && readFileSync(join(dir, name), "utf8").match(/^http\S+$/m)?.[0];
  };
  return (await waitFor(() => find() || undefined, 20, 10_000)) ?? "";
}

/** A page in a window of its own; what nobody caught fails the test. */
async function openWindow(): Promise<Page> {
  const context = await browser.newContext();
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const uncaught: string[] = [];
  page.on("pageerror", (error) => uncaught.push(String(error)));
  onTestFinished(async () => {
    await context.close();
    expect(uncaught).toEqual([]);
  });
  return page;
}

/** Signs up, follows the link, adds a task, reloads, signs out, and in again. */
async function walkThrough(url: string, email: string): Promise<void> {
  const page = await openWindow();
  await page.goto(url);
  const send = async (button: string) => {
    await page.getByRole("textbox", { name: "Email" }).fill(email);
    await page.getByRole("textbox", { name: "Password" }).fill(password);
    await page.getByRole("button", { name: button }).click();
  };
  await send("Create an account");
  await page.getByText("Look into your mail").waitFor();
  await page.goto(await linkTo(email));
  await page.getByText(email).waitFor();
  await page.getByRole("textbox", { name: "New task" }).fill("Water the plants");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Water the plants").waitFor();
  await page.reload();
  await page.getByText("Water the plants").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await send("Sign in");
  await page.getByText("Water the plants").waitFor();
}

/** The files of docs/sign-in.md, by the name that each begins with. */
function docFiles(): Record<string, string> {
  const page = readFileSync(join(projectRoot, "docs/sign-in.md"), "utf8");
  const blocks = page.matchAll(/^```(?:ts|html)\n(?:\/\/|<!--) (\S+\.\w+)(?: -->)?\n(.*?)^```$/gms);
  return Object.fromEntries([...blocks].map(([, name = "", code = ""]) => [name, code]));
}

/** A folder with these files, and the packages of the project; it ends with the test. */
function writeFolder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-docs-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  symlinkSync(join(projectRoot, "node_modules"), join(dir, "node_modules"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

/** What tsc says of a folder: nothing when all is well. */
function compile(dir: string): string {
  try {
    const tsc = join(projectRoot, "node_modules/.bin/tsc");
    return execFileSync(tsc, ["--noEmit", "-p", dir], { encoding: "utf8" });
  } catch (error) {
    return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
  }
}

const types = () => readFileSync(join(projectRoot, "client/database.types.ts"), "utf8");

test("the page of docs/sign-in.md signs up, works, reloads, signs out and in again", async () => {
  const { "index.html": html = "", "main.ts": code = "" } = docFiles();
  const dir = writeFolder({
    "index.html": html,
    "main.ts": code
      .replace("http://127.0.0.1:3000", inject("apiUrl"))
      .replace("http://127.0.0.1:3001/auth", inject("authUrl")),
    "database.types.ts": types(),
  });
  const server = await createServer({
    root: dir,
    configFile: false,
    logLevel: "warn",
    cacheDir: join(dir, "cache"),
    server: {
      host: "127.0.0.1",
      port: await freePort(),
      hmr: false,
      fs: { allow: [dir, join(projectRoot, "node_modules"), join(projectRoot, "packages/client")] },
    },
  });
  await server.listen();
  onTestFinished(() => server.close());
  await walkThrough(server.resolvedUrls?.local[0] ?? "", "docs@example.com");
});

test("the code of docs/sign-in.md compiles as strictly as the project", () => {
  const { "main.ts": main = "", "with-the-project.ts": own = "" } = docFiles();
  const dir = writeFolder({
    "main.ts": main,
    "with-the-project.ts": own.replace("./client/index.ts", join(projectRoot, "client/index.ts")),
    "database.types.ts": types(),
    "tsconfig.json": JSON.stringify({
      extends: join(projectRoot, "tsconfig.base.json"),
      compilerOptions: {
        module: "esnext",
        moduleResolution: "bundler",
        lib: ["es2023", "dom", "dom.iterable", "esnext.asynciterable"],
        types: [],
      },
      include: ["*.ts"],
    }),
  });
  expect(compile(dir)).toBe("");
});

test("the app of docs/react.md signs up, works, reloads, signs out and in again", async () => {
  const app = await serveReactApp();
  onTestFinished(() => app.stop());
  await walkThrough(`${app.url}own.html`, "react@example.com");
});
