import { errorMessage } from "../../lib/errors.ts";
import { withExistingDatabase } from "../../stack/embedded.ts";
import { openHome } from "../../stack/home.ts";
import { runningState } from "../../stack/lock.ts";
import { withScratch } from "../../stack/scratch.ts";
import type { Settings } from "../../stack/settings.ts";
import {
  type Check,
  type DatabaseContext,
  type DoctorContext,
  type Finding,
  wrong,
} from "./check.ts";
import { checkArchive } from "./checks/archive.ts";
import { checkBackups } from "./checks/backups.ts";
import { checkClocks } from "./checks/clocks.ts";
import { checkConfiguration } from "./checks/configuration.ts";
import { checkDisk } from "./checks/disk.ts";
import { checkGenerated } from "./checks/generated.ts";
import { checkIndexes } from "./checks/indexes.ts";
import { checkKeys } from "./checks/keys.ts";
import { checkMigrations } from "./checks/migrations.ts";
import { checkRoles } from "./checks/roles.ts";
import { checkSettings } from "./checks/settings.ts";
import { checkSignIn } from "./checks/sign-in.ts";
import { checkSpeed } from "./checks/speed.ts";
import { checkVersions } from "./checks/versions.ts";

/** A finding, and the check that made it. */
export type Diagnosis = Finding & { readonly check: string };

/** Some of the checks, by their names, in the order in which they report. */
type Checks<Context> = Readonly<Record<string, Check<Context>>>;

const rightsChecks: Checks<DatabaseContext> = {
  versions: checkVersions,
  keys: checkKeys,
  roles: checkRoles,
  indexes: checkIndexes,
};

/** They build databases on one server, where roles are shared: one at a time. */
const scratchChecks: Checks<DoctorContext> = {
  generated: checkGenerated,
  migrations: checkMigrations,
};

const stackChecks: Checks<DatabaseContext> = {
  clocks: checkClocks,
  disk: checkDisk,
  backups: checkBackups,
  archive: checkArchive,
  settings: checkSettings,
  configuration: checkConfiguration,
  "sign-in": checkSignIn,
  speed: checkSpeed,
};

/** Looks at everything. It changes nothing; what it needs to compare with it builds on a scratch. */
export async function examine(settings: Settings): Promise<Diagnosis[]> {
  const home = openHome(settings.home);
  return withExistingDatabase(settings, home, async (url) => {
    // Read in here: this command starts a home that is not running.
    const state = await runningState(home);
    return examineAll({ settings, home, state, url });
  });
}

/** Three at once, while the scratch server starts: more would take a small server's connections. */
async function examineAll(context: DatabaseContext): Promise<Diagnosis[]> {
  const found = await Promise.all([
    runChecks(rightsChecks, context),
    withScratch((scratch) => runChecks(scratchChecks, { ...context, scratch })),
    runChecks(stackChecks, context),
  ]);
  return found.flat();
}

async function runChecks<Context>(checks: Checks<Context>, context: Context): Promise<Diagnosis[]> {
  const found: Diagnosis[] = [];
  for (const [check, look] of Object.entries(checks)) {
    const findings = await runCheck(look, context);
    found.push(...findings.map((finding) => ({ check, ...finding })));
  }
  return found;
}

/** One check that cannot look must not keep the others from it. */
async function runCheck<Context>(look: Check<Context>, context: Context): Promise<Finding[]> {
  try {
    return await look(context);
  } catch (error) {
    return [
      wrong(`Could not check this: ${errorMessage(error)}.`, "Fix this and run doctor again."),
    ];
  }
}
