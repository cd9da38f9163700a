import { openProject } from "../../../lib/project.ts";
import { readHistory } from "../../../schema/catalog/history.ts";
import { adoptRemedy, findAdoptable } from "../../../stack/baseline.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** Migrations that are pending or unknown, and what differs from the applied ones. */
export async function checkMigrations(
  { scratch, url }: Pick<DoctorContext, "scratch" | "url">,
  dir = openProject().migrationsDir,
): Promise<Finding[]> {
  const { pending, unknown, drift } = await readHistory(scratch, url, dir);
  const adoptable = pending.length === 1 ? await findAdoptable(url, dir) : undefined;
  const remedy = adoptable === undefined ? "Run `npx rowhouse migrate`." : adoptRemedy;
  const details = "See how: `npx rowhouse db check --against <url>`.";
  return [
    ...pending.map((file) => wrong(`${file} is not applied.`, remedy)),
    ...unknown.map((version) =>
      wrong(`The database has migration ${version}, and no file here is it.`, "Pull the newest."),
    ),
    ...drift.map(({ file }) =>
      file
        ? wrong(`The database differs from ${file}: one of them was edited since.`, details)
        : wrong("The database holds what no migration made.", details),
    ),
  ];
}
