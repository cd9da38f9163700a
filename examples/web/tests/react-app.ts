import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { freePort } from "rowhouse/testing";
import { createServer } from "vite";
import { inject } from "vitest";
import { projectRoot } from "./project.ts";

/** The tokens that a sign-in gives out. */
interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

/** Exchanges a refresh token; undefined refuses it. */
export type Renew = (refresh: string) => Promise<Tokens | undefined>;

/** The app of docs/react.md, being served in React's development mode. */
export interface ReactApp {
  readonly url: string;
  /** What tsc says of its files: nothing when all is well. */
  readonly compile: () => string;
  /** What `POST /auth/renew` does from now on. */
  readonly renewWith: (renew: Renew) => void;
  readonly stop: () => Promise<void>;
}

/** As `npm create vite` writes it for React, and stricter. */
const tsconfig = {
  compilerOptions: {
    target: "es2023",
    module: "esnext",
    moduleResolution: "bundler",
    lib: ["es2023", "dom", "dom.iterable", "esnext.asynciterable"],
    types: ["vite/client"],
    jsx: "react-jsx",
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
  },
  include: ["src"],
};

/** The files of docs/react.md: each block of code begins with its name. */
function pageFiles(): Record<string, string> {
  const page = readFileSync(join(projectRoot, "docs/react.md"), "utf8");
  const blocks = [...page.matchAll(/^```tsx?\n(.*?)^```$/gms)].map(([, code = ""]) => code);
  return Object.fromEntries(
    blocks.map((code) => {
      const [, name] = /^\/\/ (src\/\w+\.tsx?)\n/.exec(code) ?? [];
      if (name === undefined) throw new Error(`A block of the page has no name:\n${code}`);
      return [name, code];
    }),
  );
}

/** An HTML page that runs one file. */
const html = (entry: string) =>
  `<!doctype html><title>Tasks</title><div id="root"></div><script type="module" src="/${entry}"></script>`;

/** Stores a session in the browser of a page, as the sign-in of an app does. */
export async function storeSession(
  page: Page,
  appUrl: string,
  session: Tokens & { readonly user: string },
): Promise<void> {
  await page.goto(`${appUrl}sign-in.html`);
  await page.evaluate(
    `import("/src/session.ts").then((module) => module.storeSession(${JSON.stringify(session)}))`,
  );
}

/**
 * Serves the app of docs/react.md.
 *
 * @param pages More pages, by name, each with the code of its `src/<name>.tsx`.
 */
export async function serveReactApp(
  pages: Readonly<Record<string, string>> = {},
): Promise<ReactApp> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-react-"));
  mkdirSync(join(dir, "src"));
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  for (const [name, code] of Object.entries(pageFiles())) write(name, code);
  // The tests of tabs and of renewals give out tokens themselves: they need the provider's page.
  write("index.html", html("src/provider.tsx"));
  write("own.html", html("src/main.tsx"));
  write("sign-in.html", html("src/session.ts"));
  for (const [name, code] of Object.entries(pages)) {
    write(`src/${name}.tsx`, code);
    write(`${name}.html`, html(`src/${name}.tsx`));
  }
  const types = readFileSync(join(projectRoot, "client/database.types.ts"), "utf8");
  write("src/database.types.ts", types);
  write("tsconfig.json", JSON.stringify(tsconfig));
  symlinkSync(join(projectRoot, "node_modules"), join(dir, "node_modules"));

  let renew: Renew = async () => undefined;
  const server = await serve(dir, (refresh) => renew(refresh));
  return {
    url: server.resolvedUrls?.local[0] ?? "",
    compile: () => compile(dir),
    renewWith: (next) => {
      renew = next;
    },
    stop: async () => {
      await server.close();
      rmSync(dir, { recursive: true });
    },
  };
}

async function serve(dir: string, renew: Renew) {
  const server = await createServer({
    root: dir,
    configFile: false,
    logLevel: "warn",
    cacheDir: join(dir, "cache"),
    define: {
      "import.meta.env.VITE_API_URL": JSON.stringify(inject("apiUrl")),
      "import.meta.env.VITE_AUTH_URL": JSON.stringify(inject("authUrl")),
    },
    plugins: [
      {
        name: "auth",
        configureServer: ({ middlewares }) => {
          middlewares.use("/auth/renew", (request, response) => handle(renew, request, response));
        },
      },
    ],
    server: {
      host: "127.0.0.1",
      port: await freePort(),
      strictPort: true,
      hmr: false,
      fs: { allow: [dir, join(projectRoot, "node_modules"), join(projectRoot, "packages/client")] },
    },
  });
  return server.listen();
}

async function handle(
  renew: Renew,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { refresh } = (await json(request)) as { refresh: string };
  const tokens = await renew(refresh);
  response.writeHead(tokens === undefined ? 401 : 200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(tokens ?? {}));
}

function compile(dir: string): string {
  try {
    const tsc = join(projectRoot, "node_modules/.bin/tsc");
    return execFileSync(tsc, ["--noEmit", "-p", dir], { encoding: "utf8" });
  } catch (error) {
    return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
  }
}
