import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The folder of the project: where package.json, db/ and sql/ are. */
export const projectRoot = resolve(import.meta.dirname, "..");

/** The folder that deploys run `dbmate up` on. */
export const migrationsDir = join(projectRoot, "db", "migrations");

/** The types of the database, which `rowhouse types` writes. */
export const typesFile = join("client", "database.types.ts");

/** The version of Rowhouse, from package.json. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
  return String(version);
}
