import { join } from "node:path";
import { devTokens } from "@rowhouse/example-web/dev-tokens.ts";
import { openProject, RowhouseError, readSettings, startStack } from "rowhouse";
import { createServer } from "vite";

// `npm start --workspace examples/teams`: the stack and the page, until Ctrl-C.

const root = import.meta.dirname;
const top = join(root, "../..");

async function main(): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve());
  });
  // This project has no sign-in: the page takes tokens from devTokens() alone.
  const settings = readSettings({ ...process.env, AUTH: "off" }, openProject(root));
  const stack = await startStack(settings, (line) => process.stderr.write(`${line}\n`));
  const page = await createServer({
    root,
    configFile: false,
    logLevel: "warn",
    cacheDir: join(settings.home, "vite"),
    define: { "import.meta.env.VITE_API_URL": JSON.stringify(stack.apiUrl) },
    plugins: [await devTokens(settings)],
    server: {
      host: "127.0.0.1",
      // No other site may read what this server says, tokens least of all.
      cors: false,
      // The home, which holds secrets, is not among them.
      fs: {
        allow: [
          ...["index.html", "src", "client"].map((folder) => join(root, folder)),
          ...["examples/web/src", "packages/client/dist", "node_modules"].map((folder) =>
            join(top, folder),
          ),
          join(settings.home, "vite"),
        ],
      },
    },
  });
  try {
    await page.listen();
    process.stdout.write(`The API:  ${stack.apiUrl}\nThe page: ${page.resolvedUrls?.local[0]}\n`);
    await Promise.race([interrupted, stack.done]);
  } finally {
    await page.close();
    await stack.stop();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof RowhouseError)) throw error;
  process.stderr.write(`error [${error.code}] ${error.message}\n${error.remedy}\n`);
  process.exitCode = 1;
}
