import { inject } from "vitest";
import "./context.ts";
import { inDatabase, withClient } from "../stack/database.ts";
import { type Scratch, scratchOn } from "../stack/scratch.ts";

/** A server under test as a place for databases, which end with the test run. */
export function testScratch(serverUrl = inject("serverUrl")): Scratch {
  return scratchOn(serverUrl, inject("template").replace(/_template$/, ""));
}

/** Clones a template into a database of its own, which ends with the test run. */
export async function cloneDatabase(template = inject("template")): Promise<string> {
  const scratch = testScratch();
  return scratch.create(inDatabase(scratch.serverUrl, template));
}

/** The same with the rights on the database itself, which no template hands on. */
export async function migratedClone(): Promise<string> {
  const url = await cloneDatabase();
  const name = new URL(url).pathname.slice(1);
  await withClient(url, (client) =>
    client.query(`revoke temporary on database ${name} from public`),
  );
  return url;
}

/** An empty database of its own, which ends with the test run. */
export async function emptyDatabase(serverUrl = inject("serverUrl")): Promise<string> {
  return testScratch(serverUrl).create();
}
