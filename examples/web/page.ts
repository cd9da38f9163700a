import { join } from "node:path";
import type { Settings } from "rowhouse";
import { createServer } from "vite";
import { devTokens } from "./dev-tokens.ts";
import config from "./vite.config.ts";

/** The page, being served. */
export interface ServedPage {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Serves the page on this machine alone, on port 5173 or the next free one. */
export async function startPage(
  settings: Settings,
  { apiUrl, authUrl }: { readonly apiUrl: string; readonly authUrl: string },
): Promise<ServedPage> {
  const server = await createServer({
    ...config,
    configFile: false,
    logLevel: "warn",
    // In the home, so that pages of several homes do not write over each other's.
    cacheDir: join(settings.home, "vite"),
    define: {
      "import.meta.env.VITE_API_URL": JSON.stringify(apiUrl),
      "import.meta.env.VITE_AUTH_URL": JSON.stringify(authUrl),
    },
    plugins: [await devTokens(settings)],
    server: {
      host: "127.0.0.1",
      // No other site may read what this server says, tokens least of all.
      cors: false,
      // By default Vite hands out any file of the project: the home holds secrets.
      fs: { allow: allowed(settings) },
    },
  });
  await server.listen();
  // The port asked for may have been taken: what counts is what the server listens on.
  const [url = ""] = server.resolvedUrls?.local ?? [];
  return { url, stop: () => server.close() };
}

function allowed({ home, project: { root } }: Settings): string[] {
  return [
    import.meta.dirname,
    join(home, "vite"),
    join(root, "client"),
    join(root, "packages", "client", "dist"),
    join(root, "node_modules"),
  ];
}
