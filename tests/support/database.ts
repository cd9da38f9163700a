import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { withClient } from "../../cli/stack/database.ts";

/** The URL of another database on the same server. */
export function inDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Clones a template into a database of its own, which ends with the test run. */
export async function cloneDatabase(template = inject("template")): Promise<string> {
  return createDatabase(template);
}

/** An empty database of its own, which ends with the test run. */
export async function emptyDatabase(): Promise<string> {
  return createDatabase("template1");
}

async function createDatabase(template: string): Promise<string> {
  const serverUrl = inject("serverUrl");
  const run = inject("template").replace(/_template$/, "");
  const name = `${run}_${randomBytes(4).toString("hex")}`;
  await withClient(serverUrl, (client) =>
    client.query(`create database ${name} template ${template}`),
  );
  return inDatabase(serverUrl, name);
}
