import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import { openProject } from "../lib/project.ts";
import { withClient } from "./database.ts";

/**
 * Runs the files in platform/ of a project on a new database: stubs of what the platform brings along
 * where the project is deployed. No migration makes them.
 *
 * @param url The database, as superuser.
 * @throws RowhouseError platform_failed
 */
export async function loadPlatform(url: string, root = openProject().root): Promise<void> {
  const dir = join(root, "platform");
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".sql")) : [];
  if (files.length === 0) return;
  await withClient(url, async (client) => {
    for (const file of files.sort()) {
      try {
        await client.query(readFileSync(join(dir, file), "utf8"));
      } catch (error) {
        throw new RowhouseError(
          "platform_failed",
          `platform/${file} cannot be run on a new database: ${errorMessage(error)}.`,
          "Correct the file: it makes what the project needs of its platform on a scratch server.",
          { cause: error },
        );
      }
    }
  });
}
