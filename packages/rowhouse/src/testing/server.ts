import { randomBytes } from "node:crypto";
import { inDatabase, withClient } from "../stack/database.ts";
import { migrate } from "../stack/dbmate.ts";
import { setPassword } from "../stack/login.ts";
import { loadPlatform } from "../stack/platform.ts";
import { startCluster } from "./cluster.ts";
import { installPgtap } from "./pgtap.ts";

/** The server under test, with the databases that every test clones. */
export interface TestServer {
  /** A superuser's URL, on the maintenance database. */
  readonly url: string;
  readonly authenticatorPassword: string;
  /** The name of a migrated database. */
  readonly template: string;
  /** The same with pgTAP in it. */
  readonly pgtapTemplate: string;
  /** Drops every database of this run, and ends the server if it was started for it. */
  readonly stop: () => Promise<void>;
}

/**
 * Brings up the server under test: the one that TEST_DATABASE_URL names, or else an embedded
 * PostgreSQL that is thrown away afterwards.
 */
export async function startTestServer(): Promise<TestServer> {
  const server = await findServer();
  const run = `rowhouse_test_${randomBytes(4).toString("hex")}`;
  const stop = async () => {
    await dropDatabases(server.url, run);
    await server.stop();
  };
  try {
    return { url: server.url, ...(await makeTemplates(server.url, run)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function findServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  return given ? { url: given, stop: async () => {} } : startCluster({ max_connections: "200" });
}

async function makeTemplates(serverUrl: string, run: string) {
  const template = `${run}_template`;
  const pgtapTemplate = `${run}_pgtap`;
  const authenticatorPassword = randomBytes(16).toString("hex");

  await withClient(serverUrl, (client) => client.query(`create database ${template}`));
  await loadPlatform(inDatabase(serverUrl, template));
  await migrate(inDatabase(serverUrl, template));
  await setPassword(serverUrl, "authenticator", authenticatorPassword);
  await withClient(serverUrl, (client) =>
    client.query(`create database ${pgtapTemplate} template ${template}`),
  );
  await installPgtap(inDatabase(serverUrl, pgtapTemplate));

  return { template, pgtapTemplate, authenticatorPassword };
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
