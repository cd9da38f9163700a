import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { setAuthenticatorPassword } from "../../cli/stack/authenticator.ts";
import { withClient } from "../../cli/stack/database.ts";
import { migrate } from "../../cli/stack/dbmate.ts";
import { startGuard } from "../../cli/stack/guard.ts";
import { freePort } from "../../cli/stack/ports.ts";
import { clusterUrl, openCluster, startPostgres } from "../../cli/stack/postgres.ts";
import { inDatabase } from "./database.ts";
import { installPgtap } from "./pgtap.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A superuser's URL of the server under test, on its maintenance database. */
    serverUrl: string;
    authenticatorPassword: string;
    /** A migrated database, to be cloned. */
    template: string;
    /** The same with pgTAP in it. */
    pgtapTemplate: string;
  }
}

/**
 * Brings up the server under test, once a run: the embedded PostgreSQL, or the one that
 * TEST_DATABASE_URL names. On it, the migrated templates that each test file clones.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await testServer();
  const run = `rowhouse_test_${randomBytes(4).toString("hex")}`;
  const template = `${run}_template`;
  const pgtapTemplate = `${run}_pgtap`;
  const authenticatorPassword = randomBytes(16).toString("hex");

  await withClient(server.url, (client) => client.query(`create database ${template}`));
  await migrate(inDatabase(server.url, template));
  await setAuthenticatorPassword(server.url, authenticatorPassword);
  await withClient(server.url, (client) =>
    client.query(`create database ${pgtapTemplate} template ${template}`),
  );
  await installPgtap(inDatabase(server.url, pgtapTemplate));

  project.provide("serverUrl", server.url);
  project.provide("authenticatorPassword", authenticatorPassword);
  project.provide("template", template);
  project.provide("pgtapTemplate", pgtapTemplate);

  return async () => {
    await dropDatabases(server.url, run);
    await server.stop();
  };
}

async function testServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => {} };
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-test-"));
  const cluster = await openCluster(dir, "postgres", join(dir, "postgres.log"));
  const port = await freePort();
  const server = await startPostgres(cluster, port, { fsync: "off", max_connections: "200" });
  startGuard()([[server.signal, server.pid]]);
  return {
    url: clusterUrl(cluster, port, "postgres"),
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

async function dropDatabases(serverUrl: string, prefix: string): Promise<void> {
  await withClient(serverUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [prefix],
    );
    for (const { datname } of rows) await client.query(`drop database ${datname} with (force)`);
  });
}
