import { generateKeyPairSync, randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";
import { beforeAll, expect, test } from "vitest";
import { type Api, caller, startApi } from "../../src/testing/api.ts";
import { migratedClone } from "../../src/testing/database.ts";
import { refusal } from "./backend.ts";

/** A provider's token as its documentation shows it, and the settings that its users need. */
interface Provider {
  readonly claims: Record<string, unknown>;
  readonly settings: {
    readonly jwtIss: string;
    readonly jwtAud: string;
    readonly jwtRole?: string;
    readonly extra?: Record<string, string>;
  };
  /** The address that arrives in api.users; undefined for none. */
  readonly email?: string;
}

const uuid = randomUUID();
const email = "ada@example.com";

const providers: Record<string, Provider> = {
  Auth0: {
    // An access token for an API of one's own: https://auth0.com/docs/secure/tokens/access-tokens
    claims: {
      iss: "https://tenant.eu.auth0.com/",
      sub: "auth0|6523c5b9f1a2",
      aud: ["https://api.example.com", "https://tenant.eu.auth0.com/userinfo"],
      azp: "client",
      scope: "openid profile email",
    },
    settings: {
      jwtIss: "https://tenant.eu.auth0.com/",
      jwtAud: "https://api.example.com",
      jwtRole: "authenticated",
    },
  },
  Clerk: {
    // A session token: https://clerk.com/docs/guides/sessions/session-tokens
    claims: {
      iss: "https://app.clerk.accounts.dev",
      sub: "user_2NNEqL2nrIRdJ194ndJqAHwEfxC",
      azp: "http://localhost:5173",
      sid: "sess_1",
      fva: [0, -1],
      v: 2,
    },
    settings: {
      jwtIss: "https://app.clerk.accounts.dev",
      jwtAud: "none",
      jwtRole: "authenticated",
    },
  },
  Supabase: {
    // https://supabase.com/docs/guides/auth/jwt-fields
    claims: {
      iss: "https://project.supabase.co/auth/v1",
      sub: uuid,
      aud: "authenticated",
      role: "authenticated",
      email,
      aal: "aal1",
      session_id: randomUUID(),
      is_anonymous: false,
    },
    settings: { jwtIss: "https://project.supabase.co/auth/v1", jwtAud: "authenticated" },
    email,
  },
  Firebase: {
    // https://firebase.google.com/docs/auth/admin/verify-id-tokens
    claims: {
      iss: "https://securetoken.google.com/project-id",
      aud: "project-id",
      sub: "J7K2fkd8dPWq0aZ1",
      user_id: "J7K2fkd8dPWq0aZ1",
      email,
      email_verified: true,
      firebase: { sign_in_provider: "password" },
    },
    settings: {
      jwtIss: "https://securetoken.google.com/project-id",
      jwtAud: "project-id",
      jwtRole: "authenticated",
    },
    email,
  },
  "Firebase with an address that is not confirmed": {
    claims: {
      iss: "https://securetoken.google.com/project-id",
      aud: "project-id",
      sub: "J7K2fkd8dPWq0aZ2",
      email,
      email_verified: false,
    },
    settings: {
      jwtIss: "https://securetoken.google.com/project-id",
      jwtAud: "project-id",
      jwtRole: "authenticated",
    },
  },
  Keycloak: {
    // https://www.keycloak.org/docs/latest/server_admin/#protocol-mappers
    claims: {
      iss: "https://id.example.com/realms/app",
      aud: "account",
      sub: randomUUID(),
      typ: "Bearer",
      realm_access: { roles: ["offline_access"] },
      email,
      email_verified: true,
    },
    settings: {
      jwtIss: "https://id.example.com/realms/app",
      jwtAud: "account",
      jwtRole: "authenticated",
    },
    email,
  },
  "Microsoft Entra": {
    // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    claims: {
      iss: "https://login.microsoftonline.com/tenant/v2.0",
      aud: "6731de76-14a6-49ae-97bc-6eba6914391e",
      sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
      oid: randomUUID(),
      scp: "access",
      ver: "2.0",
    },
    settings: {
      jwtIss: "https://login.microsoftonline.com/tenant/v2.0",
      jwtAud: "6731de76-14a6-49ae-97bc-6eba6914391e",
      jwtRole: "authenticated",
    },
  },
  WorkOS: {
    // Its "role" is that in the organization, and none of PostgreSQL's: https://workos.com/docs/authkit/sessions
    claims: {
      iss: "https://api.workos.com/user_management/client_1",
      sub: "user_01HXYZ",
      sid: "session_01HXYZ",
      org_id: "org_01HXYZ",
      role: "member",
      permissions: [],
    },
    settings: {
      jwtIss: "https://api.workos.com/user_management/client_1",
      jwtAud: "none",
      jwtRole: "authenticated",
      extra: { PGRST_JWT_ROLE_CLAIM_KEY: ".none" },
    },
  },
  "Better Auth": {
    // Its jwt plugin with `definePayload` as @rowhouse/auth has it.
    claims: {
      iss: "https://app.example.com",
      aud: "https://app.example.com",
      sub: "kXq8mZ3tB1nR7vW2yL5pD9sF4hJ6cA0e",
      role: "authenticated",
      email,
    },
    settings: { jwtIss: "https://app.example.com", jwtAud: "https://app.example.com" },
    email,
  },
};

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const keys = JSON.stringify({
  keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" }],
});

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await migratedClone();
});

const sign = (claims: Record<string, unknown>) =>
  jwt.sign({ ...claims, exp: Math.floor(Date.now() / 1000) + 600 }, privateKey, {
    algorithm: "RS256",
    keyid: "k1",
  });

const start = (settings: Provider["settings"]): Promise<Api> =>
  startApi(databaseUrl, { jwtSecret: keys, ...settings });

test.each(Object.entries(providers))("A token of %s is that of one user", async (_, provider) => {
  const api = await start(provider.settings);
  try {
    const user = caller(api, sign(provider.claims));
    const created = await user.ask("/tasks", {
      method: "POST",
      headers: { Prefer: "return=representation" },
      body: { title: "Say hello" },
    });
    expect(created).toMatchObject({ status: 201 });
    const again = caller(api, sign({ ...provider.claims, iat: Math.floor(Date.now() / 1000) }));
    const { body: users } = await again.ask("/users?select=id,email");
    expect(users).toEqual([{ id: expect.any(String), email: provider.email ?? null }]);

    const other = caller(api, sign({ ...provider.claims, sub: randomUUID() }));
    expect((await other.ask("/tasks")).body).toEqual([]);
  } finally {
    await api.stop();
  }
});

test.each([
  ["role", "Auth0", { jwtRole: "" }, "token_role_refused", /"role".*JWT_ROLE/],
  ["aud", "Clerk", { jwtAud: "rowhouse" }, "token_aud_refused", /"aud".*JWT_AUD/],
  ["iss", "Keycloak", { jwtIss: "rowhouse" }, "token_iss_refused", /"iss".*JWT_ISS/],
])(
  "Without the setting for %s the refusal names the claim and the setting",
  async (_, name, without, details, hint) => {
    const { claims, settings } = providers[name] as Provider;
    const api = await start({ ...settings, ...without });
    try {
      expect(await caller(api, sign(claims)).ask("/tasks")).toMatchObject(
        refusal(401, "PT401", { details, hint: expect.stringMatching(hint) }),
      );
    } finally {
      await api.stop();
    }
  },
);

test("A user's id is that of request.user_id_for()", async () => {
  const { claims, settings } = providers.Auth0 as Provider;
  const api = await start(settings);
  try {
    const { body } = await caller(api, sign(claims)).ask("/rpc/me", { method: "POST" });
    expect(body).toMatchObject({ id: "6050b32c-cdef-8857-92fe-e8ebc492399e" });
  } finally {
    await api.stop();
  }
});
