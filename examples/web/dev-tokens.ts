import type { Plugin } from "vite";
import { withDatabase } from "../../packages/rowhouse/src/stack/embedded.ts";
import { jwtSecret, openHome } from "../../packages/rowhouse/src/stack/home.ts";
import type { Settings } from "../../packages/rowhouse/src/stack/settings.ts";
import {
  assertCanSign,
  findOrMakeUser,
  signToken,
} from "../../packages/rowhouse/src/stack/token.ts";

/** Who is signed in on the page: the name in the address, and the email address. */
const emails = { alice: "alice@example.com", bob: "bob@example.com" };

/** As short as in earnest: the page has to ask again, and the client does it by itself. */
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
  const home = openHome(settings.home);
  const secret = () => settings.jwtSecret ?? jwtSecret(home);
  assertCanSign(secret());
  const users = await withDatabase(settings, home, findUsers);

  const tokenFor = (name: string | null): string | undefined => {
    const user = users.get(name ?? "");
    const { jwtAud: aud, jwtIss: iss } = settings;
    return user && signToken(user, { secret: secret(), aud, iss, expiresIn: lifeSeconds });
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
        response.end(token ?? "Nobody here has that name: try ?for=alice.");
      });
    },
  };
}

async function findUsers(url: string): Promise<Map<string, { id: string; email: string }>> {
  const users = new Map<string, { id: string; email: string }>();
  for (const [name, email] of Object.entries(emails)) {
    users.set(name, { id: await findOrMakeUser(url, email), email });
  }
  return users;
}
