import { openProject } from "../../../lib/project.ts";
import { readHistory } from "../../../schema/catalog/history.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** Migrations that are pending or unknown, and what differs from the applied ones. */
export async function checkMigrations(
  { scratch, url }: Pick<DoctorContext, "scratch" | "url">,
  dir = openProject().migrationsDir,
): Promise<Finding[]> {
  const { pending, unknown, drift } = await readHistory(scratch, url, dir);
  const details = "See how: `npx rowhouse db check --against <url>`.";
  return [
    ...pending.map((file) => wrong(`${file} is not applied.`, "Run `npx rowhouse migrate`.")),
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
