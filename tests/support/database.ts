import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { withClient } from "../../cli/stack/database.ts";
import { inDatabase } from "./server.ts";

/** Clones a template into a database of its own, which ends with the test run. */
export async function cloneDatabase(template = inject("template")): Promise<string> {
  return createDatabase(inject("serverUrl"), template);
}

/** An empty database of its own, which ends with the test run. */
export async function emptyDatabase(serverUrl = inject("serverUrl")): Promise<string> {
  return createDatabase(serverUrl, "template0");
}

async function createDatabase(serverUrl: string, template: string): Promise<string> {
  const run = inject("template").replace(/_template$/, "");
  const name = `${run}_${randomBytes(4).toString("hex")}`;
  await withClient(serverUrl, (client) =>
    client.query(`create database ${name} template ${template}`),
  );
  return inDatabase(serverUrl, name);
}
