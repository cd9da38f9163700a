import { once } from "node:events";
import { createServer } from "node:http";
import { type Configuration, Provider } from "oidc-provider";
import { freePort } from "rowhouse/testing";

/** An OpenID Connect provider of a test's own: a real one, whose sign-in forms take any name. */
export interface OpenIdProvider {
  readonly issuer: string;
  /** The claims of whoever signs in with a name. */
  readonly people: Map<string, Record<string, unknown>>;
  readonly stop: () => Promise<void>;
}

/** What a client of the provider is known by. */
export const client = { id: "rowhouse", secret: "a-secret-of-the-client" };

/** Starts one, whose client may be led back to some addresses. */
export async function startProvider(redirectUris: string[] = []): Promise<OpenIdProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const people = new Map<string, Record<string, unknown>>();
  const configuration: Configuration = {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: redirectUris.length > 0 ? redirectUris : ["https://app.example.com/"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["a key for the cookies of the tests' provider"] },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...people.get(id) }),
    }),
    features: { devInteractions: { enabled: true } },
  };
  const server = createServer(new Provider(issuer, configuration).callback());
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    issuer,
    people,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
