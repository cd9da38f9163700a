import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { freePort } from "rowhouse/testing";

const client = { client_id: "rowhouse", client_secret: "a-secret-of-the-client" };

/**
 * Starts a real OpenID Connect provider, whose forms take any name: Ada has it, at
 * ada@provider.example.
 *
 * @param redirectUri Where people return to.
 * @returns What AUTH_PROVIDERS is for it, and what stops it.
 */
export async function startProvider(
  redirectUri: string,
): Promise<{ readonly authProviders: string; readonly stop: () => Promise<void> }> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        ...client,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["a key for the cookies of the tests' provider"] },
    findAccount: async (_, sub) => ({
      accountId: sub,
      claims: async () => ({
        sub,
        email: "ada@provider.example",
        email_verified: true,
        name: "Ada",
      }),
    }),
    features: { devInteractions: { enabled: true } },
  });
  const server = createServer(provider.callback()).listen(port, "127.0.0.1");
  await once(server, "listening");
  const { client_id: clientId, client_secret: clientSecret } = client;
  return {
    authProviders: JSON.stringify([{ id: "local", issuer, clientId, clientSecret }]),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
