import { findOrCreateUser, type Settings, signToken, withDatabase } from "rowhouse";
import type { Plugin } from "vite";

/** Who is signed in on the page: the name in the address, and the email address. */
const emails = { alice: "alice@example.com", bob: "bob@example.com" };

/** As short as in production: the page has to ask again, and the client does it by itself. */
const lifeSeconds = 15 * 60;

/**
 * Lets Vite's development server hand out tokens: `GET /dev/token?for=alice`, as
 * `rowhouse token alice@example.com` prints them.
 *
 * A REAL APP HAS NOTHING LIKE THIS. Its users sign in with an identity provider, which gives the
 * page a token for them alone; the key that signs it never leaves the provider. Here whoever
 * reaches the server is whom they say they are, which is why it listens on loopback only, and
 * why a build of the page does not contain it.
 */
export async function devTokens(settings: Settings): Promise<Plugin> {
  const users = await withDatabase(settings, findUsers);

  const tokenFor = (name: string | null): string | undefined => {
    const user = users.get(name ?? "");
    return user && signToken(settings, user, lifeSeconds);
  };

  return {
    name: "rowhouse-dev-tokens",
    apply: "serve",
    configureServer: ({ middlewares }) => {
      middlewares.use("/dev/token", ({ url = "" }, response) => {
        const token = tokenFor(new URL(url, "http://localhost").searchParams.get("for"));
        response.writeHead(token === undefined ? 404 : 200, {
          "Content-Type": "text/plain",
          "Cache-Control": "no-store",
        });
        response.end(token ?? "No user here has that name: try ?for=alice.");
      });
    },
  };
}

async function findUsers(url: string): Promise<Map<string, { id: string; email: string }>> {
  const users = new Map<string, { id: string; email: string }>();
  for (const [name, email] of Object.entries(emails)) {
    users.set(name, { id: await findOrCreateUser(url, email), email });
  }
  return users;
}
