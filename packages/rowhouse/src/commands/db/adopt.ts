import { existsSync } from "node:fs";
import { adoptMigrations } from "../../schema/plan/adopt.ts";
import { withDatabase } from "../../stack/embedded.ts";
import { getHome, openHome } from "../../stack/home.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { readSettings } from "../../stack/settings.ts";

/**
 * Marks migrations as applied whose changes the home's database already has: `rowhouse dev` brought
 * it what they bring. A database that DATABASE_URL names is left alone.
 *
 * @returns The files that were noted.
 */
export async function adoptAtHome(scratch: Scratch): Promise<string[]> {
  const settings = readSettings();
  if (settings.databaseUrl || !existsSync(getHome(settings.home).passwordFile)) return [];
  return withDatabase(settings, openHome(settings.home), (url) =>
    adoptMigrations(scratch, url, settings.project.migrationsDir),
  );
}
