import { reasonOf } from "../../lib/errors.ts";
import { withKeptDatabase } from "../../stack/embedded.ts";
import { openHome } from "../../stack/home.ts";
import { runningState } from "../../stack/lock.ts";
import { withScratch } from "../../stack/scratch.ts";
import type { Settings } from "../../stack/settings.ts";
import { type Check, type Finding, type Patient, wrong } from "./check.ts";
import { checkArchive } from "./checks/archive.ts";
import { checkBackups } from "./checks/backups.ts";
import { checkClocks } from "./checks/clocks.ts";
import { checkDisk } from "./checks/disk.ts";
import { checkGenerated } from "./checks/generated.ts";
import { checkIndexes } from "./checks/indexes.ts";
import { checkKeys } from "./checks/keys.ts";
import { checkMigrations } from "./checks/migrations.ts";
import { checkRoles } from "./checks/roles.ts";
import { checkSettings } from "./checks/settings.ts";
import { checkVersions } from "./checks/versions.ts";

/** A finding, and the check that made it. */
export type Diagnosis = Finding & { readonly check: string };

const checks: Record<string, Check> = {
  versions: checkVersions,
  keys: checkKeys,
  roles: checkRoles,
  indexes: checkIndexes,
  generated: checkGenerated,
  migrations: checkMigrations,
  clocks: checkClocks,
  disk: checkDisk,
  backups: checkBackups,
  archive: checkArchive,
  settings: checkSettings,
};

/** Looks at everything. It changes nothing; what it needs to compare with it builds on a scratch. */
export async function examine(settings: Settings): Promise<Diagnosis[]> {
  const home = openHome(settings.home);
  return withKeptDatabase(settings, home, async (url) => {
    // Read in here: a home at rest is started for the looking, by this command.
    const state = await runningState(home);
    return withScratch((scratch) => examineAll({ settings, home, state, url, scratch }));
  });
}

async function examineAll(patient: Patient): Promise<Diagnosis[]> {
  const found: Diagnosis[] = [];
  for (const [check, look] of Object.entries(checks)) {
    const findings = await carefully(look, patient);
    found.push(...findings.map((finding) => ({ check, ...finding })));
  }
  return found;
}

/** One check that cannot look must not keep the others from it. */
async function carefully(look: Check, patient: Patient): Promise<Finding[]> {
  try {
    return await look(patient);
  } catch (error) {
    return [wrong(`This could not be checked: ${reasonOf(error)}.`, "Mend that, and look again.")];
  }
}
