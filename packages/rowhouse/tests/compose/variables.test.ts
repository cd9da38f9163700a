import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiVariables } from "../../src/stack/postgrest.ts";
import { projectRoot } from "../support/project.ts";

const compose = readFileSync(join(projectRoot, "docker-compose.yml"), "utf8");
test("compose gives PostgREST the same settings as the local stack", async () => {
  const given = {
    DB_POOL: "7",
    JWT_AUD: "an-audience",
    JWT_ISS: "an-issuer",
    JWT_ROLE: "authenticated",
    JWT_MAX_LIFETIME: "3600",
    API_PORT: "3999",
    CORS_ORIGINS: "https://app.example.com",
  };
  const inStack = apiVariables(
    {
      databaseUrl: "postgres://nowhere/none",
      port: Number(given.API_PORT),
      adminPort: 1,
      jwtSecret: "unused",
      jwtAud: given.JWT_AUD,
      jwtIss: given.JWT_ISS,
      jwtRole: given.JWT_ROLE,
      jwtMaxLifetime: Number(given.JWT_MAX_LIFETIME),
      pool: Number(given.DB_POOL),
      corsOrigins: given.CORS_ORIGINS,
    },
    {},
  );
  expect(inCompose(given)).toEqual(withoutOnPurpose(Object.entries(inStack)));
});

test("compose starts PostgREST with the file that the local stack starts it with", () => {
  expect(compose).toContain("- ./postgrest.conf:/etc/postgrest.conf:ro\n");
  expect(compose).toContain('command: ["/bin/postgrest", "/etc/postgrest.conf"]\n');
});

test.each([
  ["replicas.yml", "postgrest_read"],
  ["cells.yml", "postgrest_b"],
])("compose/scale/%s gives %s the settings of the other PostgREST", (file, service) => {
  const scale = readFileSync(join(projectRoot, "compose/scale", file), "utf8");
  const wanted = serviceVariables(compose, "postgrest");
  expect(Object.keys(wanted)).toContain("PGRST_JWT_SECRET");
  expect(serviceVariables(scale, service)).toEqual(wanted);
});

/** The variables of a service, but for those by which it finds its database. */
function serviceVariables(text: string, service: string): Record<string, string> {
  const [, block = ""] = new RegExp(`^  ${service}:\\n((?:    .*\\n|\\n)+)`, "m").exec(text) ?? [];
  const lines = [...block.matchAll(/^ {6}([A-Z_]+): (.*)$/gm)];
  return Object.fromEntries(
    lines
      .map(([, name = "", value = ""]) => [name, value] as const)
      .filter(([name]) => !/^PG(?!RST)|^PGRST_DB_CHANNEL_ENABLED$/.test(name)),
  );
}

/** Where it listens and is reached, how it signs in, and that a pooler may be between, differ on purpose. */
const onPurpose =
  /^PGRST_(OPENAPI_SERVER_PROXY_URI|DB_URI|DB_CHANNEL_ENABLED|JWT_SECRET|SERVER_HOST|SERVER_PORT|ADMIN_SERVER_PORT)$/;

function inCompose(given: Record<string, string>): Record<string, string> {
  const lines = [...compose.matchAll(/^ +(PGRST_[A-Z_]+): (.*)$/gm)];
  return withoutOnPurpose(
    lines.map(([, name = "", value = ""]) => [
      name,
      value
        .replace(/\$\{([A-Z_]+):-[^}]*\}/g, (_, variable: string) => given[variable] ?? "unknown")
        .replace(/^"(.*)"$/, "$1"),
    ]),
  );
}

function withoutOnPurpose(pairs: [string, string][]): Record<string, string> {
  return Object.fromEntries(pairs.filter(([name]) => !onPurpose.test(name)));
}
