import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRowhouse } from "../../../client/index.ts";
import { compile, packageRoot, writeFiles } from "./compile.ts";
import { runInEdge } from "./edge.ts";
import { follow, type SignInService, startSignInService } from "./sign-in-service.ts";
import { projectRoot } from "./support.ts";

// What surrounds sign-in when there is no page: servers, edge runtimes, bundlers and the compiler.

const password = "correct horse battery";
const email = "alice@example.com";

let service: SignInService;
beforeAll(async () => {
  service = await startSignInService();
  const { auth } = createRowhouse({ url: service.api.url, auth: { url: service.ownUrl } });
  const redirectTo = "http://localhost:5173/";
  await auth.signUp({ email, password, name: "Alice" }, { redirectTo });
  await follow(await service.linkTo(email));
});
afterAll(() => service.stop());

/** Bundles code with the sources; a built-in module of Node.js is then an error. */
async function bundle(code: string, minify = false): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: packageRoot, loader: "ts" },
    bundle: true,
    write: false,
    minify,
    format: "iife",
    globalName: "app",
    platform: "browser",
    target: "es2022",
  });
  return outputFiles[0]?.text ?? "";
}

/** An app that signs Alice in, and returns how many tasks she has. */
const app = `
  import { createClient } from "./src/index.ts";
  import { createAuth } from "./src/auth.ts";
  export async function run(url, authUrl) {
    const auth = createAuth({ url: authUrl });
    const before = auth.user;
    await auth.signIn(${JSON.stringify({ email, password })});
    const db = createClient({ url, token: auth.tokens }, {});
    const { data } = await db.rest.from("users").select("email").throwOnError();
    await auth.signOut();
    return [before, data, await auth.session()];
  }
`;
const outcome = [null, [{ email }], null];

describe("Without a page", () => {
  test("a person signs in where there is no Node.js and no page", async () => {
    expect(
      await runInEdge(await bundle(app), { url: service.api.url, token: service.ownUrl }),
    ).toEqual(outcome);
  });

  test("a program signs in in Node.js, and ends by itself: nothing keeps it alive", async () => {
    const run = `app.run(${JSON.stringify(service.api.url)}, ${JSON.stringify(service.ownUrl)})`;
    const program = `${await bundle(app)}\n${run}.then((seen) => console.log(JSON.stringify(seen)));`;
    const printed = execFileSync(process.execPath, ["-"], {
      input: program,
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(JSON.parse(printed)).toEqual(outcome);
  });

  test("two requests of a server share no session", async () => {
    const create = () =>
      createRowhouse({ url: service.api.url, auth: { url: service.ownUrl } }).auth;
    const [one, other] = [create(), create()];
    await one.signIn({ email, password });
    expect((await one.session())?.user.email).toBe(email);
    expect(await other.session()).toBeNull();
  });
});

describe("Its code", () => {
  const alone = `
    import { createAuth } from "./src/auth.ts";
    globalThis.auth = createAuth({ url: "" });
  `;

  test("stays within 6 kB, minified and gzipped", async () => {
    const code = await bundle(alone, true);
    expect(code.length).toBeGreaterThan(5_000);
    expect(gzipSync(code).length).toBeLessThanOrEqual(6 * 1024);
  });

  test("is not in an app without it", async () => {
    const without = `
      import { createClient } from "./src/index.ts";
      globalThis.db = createClient({ url: "", token: "" }, {});
    `;
    expect(await bundle(alone, true)).toContain("/sign-in/email");
    expect(await bundle(without, true)).not.toContain("/sign-in/email");
  });
});

test("a client has either auth or token: both, or neither, do not compile", () => {
  const index = readFileSync(join(projectRoot, "client/index.ts"), "utf8");
  const dir = writeFiles({
    "index.ts": index,
    "database.types.ts": readFileSync(join(projectRoot, "client/database.types.ts"), "utf8"),
    "app.ts": `
      import { createRowhouse } from "./index.ts";
      const auth = { url: "" };
      createRowhouse({ url: "", auth }).auth.signOut();
      createRowhouse({ url: "", token: "" }).tasks.list();
      // @ts-expect-error Both at once.
      createRowhouse({ url: "", token: "", auth });
      // @ts-expect-error Neither.
      createRowhouse({ url: "" });
      // @ts-expect-error There is none with a token.
      createRowhouse({ url: "", token: "" }).auth;
    `,
  });
  expect(compile(dir)).toBe("");
});
