import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { launchPostgrest } from "../../src/stack/postgrest.ts";
import { projectRoot } from "../support/project.ts";

const compose = readFileSync(join(projectRoot, "docker-compose.yml"), "utf8");
test("compose gives PostgREST the same settings as the local stack", async () => {
  const given = {
    DB_POOL: "7",
    MAX_ROWS: "8",
    JWT_AUD: "an-audience",
    JWT_ISS: "an-issuer",
    API_PORT: "3999",
    CORS_ORIGINS: "https://app.example.com",
  };
  expect(inCompose(given)).toEqual(await inStack(given));
});

/** Where it listens, how it signs in, and that a pooler may be between, differ on purpose. */
const onPurpose =
  /^PGRST_(DB_URI|DB_CHANNEL_ENABLED|JWT_SECRET|SERVER_HOST|SERVER_PORT|ADMIN_SERVER_PORT)$/;

function inCompose(given: Record<string, string>): Record<string, string> {
  const lines = [...compose.matchAll(/^ +(PGRST_[A-Z_]+): (.*)$/gm)];
  return settled(
    lines.map(([, name = "", value = ""]) => [
      name,
      value
        .replace(/\$\{([A-Z_]+):-[^}]*\}/g, (_, variable: string) => given[variable] ?? "unknown")
        .replace(/^"(.*)"$/, "$1"),
    ]),
  );
}

/** What a program in PostgREST's place finds in its environment; `env` prints it into the log. */
async function inStack(given: Record<string, string>): Promise<Record<string, string>> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-env-"));
  const logFile = join(dir, "log");
  const server = await launchPostgrest({
    binary: "/usr/bin/env",
    databaseUrl: "postgres://nowhere/none",
    port: Number(given.API_PORT),
    adminPort: 1,
    jwtSecret: "unused",
    jwtAud: given.JWT_AUD ?? "",
    jwtIss: given.JWT_ISS ?? "",
    pool: Number(given.DB_POOL),
    maxRows: Number(given.MAX_ROWS),
    corsOrigins: given.CORS_ORIGINS,
    logFile,
  });
  await waitFor(() => server.end(), 10, 5000);
  const lines = readFileSync(logFile, "utf8").matchAll(/^(PGRST_[A-Z_]+)=(.*)$/gm);
  rmSync(dir, { recursive: true });
  return settled([...lines].map(([, name = "", value = ""]) => [name, value]));
}

function settled(pairs: [string, string][]): Record<string, string> {
  return Object.fromEntries(pairs.filter(([name]) => !onPurpose.test(name)));
}
