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
import { readSettings, withDatabase } from "rowhouse";
import { freePort, waitFor, withClient } from "rowhouse/testing";
import { createServer } from "vite";
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { projectRoot } from "./project.ts";
import { serveReactApp } from "./react-app.ts";

// The pages that docs/sign-in.md and docs/react.md build, with the real service.

let browser: Browser;
/** Where the page of docs/sign-in.md is served. */
let url: string;
beforeAll(async () => {
  const [chromium, page] = await Promise.all([launchChromium(), serveDocsPage()]);
  browser = chromium;
  url = page.url;
  return page.stop;
});
// All windows come from one address: without this a test would meet the limits of others.
beforeEach(() => sql("delete from identity.rate_limits"));
afterAll(() => browser.close());

/** Runs a statement in the database of the stack; returns how many rows it was about. */
function sql(statement: string): Promise<number | null> {
  return withDatabase(readSettings({ ROWHOUSE_HOME: inject("exampleHome") }), (url) =>
    withClient(url, async (client) => (await client.query(statement)).rowCount),
  );
}

const password = "correct horse battery";

/** The link that was mailed to an address; with a part, the first that has it. */
async function linkTo(email: string, part = ""): Promise<string> {
  const dir = join(inject("exampleHome"), "mail");
  mkdirSync(dir, { recursive: true });
  const find = () =>
    readdirSync(dir)
      .filter((each) => each.endsWith(`-${email}.txt`))
      .map((each) => readFileSync(join(dir, each), "utf8").match(/^http\S+$/m)?.[0] ?? "")
      .find((link) => link.includes(part));
  return (await waitFor(() => find() || undefined, 20, 20_000)) ?? "";
}

/** A page in a window of its own; what nobody caught fails the test. */
async function openWindow(): Promise<Page> {
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const uncaught: string[] = [];
  page.on("pageerror", (error) => uncaught.push(String(error)));
  onTestFinished(async () => {
    await context.close();
    expect(uncaught).toEqual([]);
  });
  return page;
}

/** Fills in the form of the page, and sends it. */
async function send(page: Page, email: string, button: string): Promise<void> {
  await page.getByRole("textbox", { name: "Email" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: button, exact: true }).click();
}

/** A person who has signed up and followed the link, in a window of their own. */
async function newPerson(url: string, email: string): Promise<Page> {
  const page = await openWindow();
  await page.goto(url);
  await send(page, email, "Create an account");
  await page.getByText("Look into your mail").waitFor();
  await page.goto(await linkTo(email));
  await page.getByText(email).waitFor();
  return page;
}

/** Signs up, follows the link, adds a task, reloads, signs out, and in again. */
async function walkThrough(url: string, email: string): Promise<void> {
  const page = await newPerson(url, email);
  await page.getByRole("textbox", { name: "New task" }).fill("Water the plants");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Water the plants").waitFor();
  await page.reload();
  await page.getByText("Water the plants").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  await send(page, email, "Sign in");
  await page.getByText("Water the plants").waitFor();
}

/** The files of docs/sign-in.md, by the name that each begins with. */
function docFiles(): Record<string, string> {
  const page = readFileSync(join(projectRoot, "docs/sign-in.md"), "utf8");
  const blocks = page.matchAll(/^```(?:ts|html)\n(?:\/\/|<!--) (\S+\.\w+)(?: -->)?\n(.*?)^```$/gms);
  return Object.fromEntries([...blocks].map(([, name = "", code = ""]) => [name, code]));
}

/** A folder with these files, and the packages of the project. */
function writeFolder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-docs-"));
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

/** Serves the page of docs/sign-in.md, at localhost. */
async function serveDocsPage(): Promise<{ url: string; stop: () => Promise<void> }> {
  const {
    "index.html": html = "",
    "main.ts": code = "",
    "passkeys.ts": passkeys = "",
  } = docFiles();
  const dir = writeFolder({
    "index.html": html,
    "with-passkeys.html": `${html}<script type="module" src="/passkeys.ts"></script>`,
    "passkeys.ts": passkeys,
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
  const stop = async () => {
    await server.close();
    rmSync(dir, { recursive: true });
  };
  return { url: `http://localhost:${server.config.server.port}/`, stop };
}

test("the page of docs/sign-in.md signs up, works, reloads, signs out and in again", async () => {
  await walkThrough(url, "docs@example.com");
});

test("the code of docs/sign-in.md compiles as strictly as the project", () => {
  const { "with-the-project.ts": own = "", "index.html": _, ...files } = docFiles();
  const dir = writeFolder({
    ...files,
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
  onTestFinished(() => rmSync(dir, { recursive: true }));
  expect(compile(dir)).toBe("");
});

test("the app of docs/react.md signs up, works, reloads, signs out and in again", async () => {
  const app = await serveReactApp();
  onTestFinished(() => app.stop());
  await walkThrough(`${app.url}own.html`, "react@example.com");
});

/** An authenticator in a page's browser, which verifies the person without asking. */
async function plugInAuthenticator(page: Page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    /** Whether the person puts their finger on it. */
    verify: (isUserVerified: boolean) =>
      devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
  };
}

/** Takes away what browsers have had since 2025. */
const likeAnOlderBrowser = `
  delete PublicKeyCredential.parseCreationOptionsFromJSON;
  delete PublicKeyCredential.parseRequestOptionsFromJSON;
  delete PublicKeyCredential.prototype.toJSON;
`;

test.each([
  ["a browser", "new", ""],
  ["an older browser", "older", likeAnOlderBrowser],
])("with a passkey a person signs in in %s, until it is removed", async (_, name, script) => {
  const email = `passkey-${name}@example.com`;
  const page = await newPerson(`${url}with-passkeys.html`, email);
  await page.addInitScript(script);
  await page.reload();
  const authenticator = await plugInAuthenticator(page);
  const press = (text: string) => page.getByRole("button", { name: text, exact: true }).click();
  const status = page.getByRole("status");

  await authenticator.verify(false);
  await press("Add a passkey");
  await status.getByText("No passkey was used").waitFor();
  await authenticator.verify(true);
  await press("Add a passkey");
  await status.getByText("Added: This device.").waitFor();
  await press("Add a passkey");
  await status.getByText("This device has a passkey of this account").waitFor();

  await press("Sign out");
  await press("Sign in with a passkey");
  await page.getByText(email).waitFor();
  await page.reload();
  await page.getByText(email).waitFor();

  await press("Remove all passkeys");
  await status.getByText("Removed.").waitFor();
  await press("Sign out");
  await press("Sign in with a passkey");
  await status.getByText("could not be verified").waitFor();
  expect(await page.getByText(email).isVisible()).toBe(false);
});

test("a browser without passkeys says so", async () => {
  const page = await openWindow();
  await page.addInitScript("delete globalThis.PublicKeyCredential");
  await page.goto(`${url}with-passkeys.html`);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByText("No passkeys can be used here").waitFor();
});

/** Runs code in the page, with its `auth`. */
const withAuth = (page: Page, code: string) =>
  page.evaluate(`import("/main.ts").then(({ auth }) => ${code})`);

test("a magic link signs in, in the browser that has asked for it and in any other", async () => {
  const email = "magic@example.com";
  const asking = await openWindow();
  await asking.goto(url);
  await withAuth(asking, `auth.sendMagicLink("${email}")`);
  await asking.goto(await linkTo(email));
  await asking.getByText(email).waitFor();
  expect(asking.url()).toBe(url);

  const second = "magic-elsewhere@example.com";
  await withAuth(asking, `auth.sendMagicLink("${second}")`);
  const other = await openWindow();
  await other.goto(await linkTo(second));
  await other.getByText(second).waitFor();
  // It works once, and who follows it again learns that.
  await asking.goto(await linkTo(second));
  await asking.getByRole("status").getByText("did not work (INVALID_TOKEN)").waitFor();
  expect(asking.url()).toBe(url);
  await asking.getByText(email).waitFor();
});

test("a link of another's takes nobody's session, and one's own changes the account", async () => {
  const email = "victim@example.com";
  const page = await newPerson(url, email);
  const attacker = "attacker@example.com";
  const elsewhere = await openWindow();
  await elsewhere.goto(url);
  await withAuth(elsewhere, `auth.sendMagicLink("${attacker}")`);

  await page.goto(await linkTo(attacker));
  await page.getByRole("status").getByText("not asked for in this browser").waitFor();
  const sessions = `
    select from identity.sessions
    join identity.users on users.id = user_id and email = '${attacker}'`;
  await expect.poll(() => sql(sessions)).toBe(0);
  await page.getByText(email).waitFor();
  expect(page.url()).toBe(url);
  await page.reload();
  await page.getByText(email).waitFor();

  // Of the same account it may come from anywhere.
  await withAuth(elsewhere, `auth.sendMagicLink("${email}")`);
  await page.goto(await linkTo(email, "/magic-link/"));
  await page.getByText(email).waitFor();
  expect(await page.getByRole("status").textContent()).toBe("");

  const own = "other-account@example.com";
  await withAuth(page, `auth.sendMagicLink("${own}")`);
  await page.goto(await linkTo(own));
  await page.getByText(own).waitFor();
});

test("a person signs in at a provider, by the address that the client makes", async () => {
  const page = await openWindow();
  await page.goto(url);
  await withAuth(page, `void (location.href = auth.providerUrl("local"))`);
  await page.locator("[name=login]").fill("ada");
  await page.locator("[name=password]").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("ada@provider.example").waitFor();
  expect(page.url()).toBe(url);

  await withAuth(page, `auth.signOut()`);
  await withAuth(page, `void (location.href = auth.providerUrl("local"))`);
  await page.getByText("ada@provider.example").waitFor();
});

test("a second factor is asked for, and a wrong code refused", async () => {
  const email = "factor@example.com";
  const page = await newPerson(url, email);
  await withAuth(page, `auth.prepareSecondFactor("${password}")`);
  await sql("update identity.two_factors set verified = true");
  await sql(`update identity.users set two_factor_enabled = true where email = '${email}'`);
  await page.getByRole("button", { name: "Sign out" }).click();
  page.on("dialog", (dialog) => dialog.accept("000000"));
  await send(page, email, "Sign in");
  await page.getByText("Invalid code").waitFor();
});
