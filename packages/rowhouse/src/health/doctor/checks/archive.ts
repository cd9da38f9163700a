import { existsSync } from "node:fs";
import { getArchiveDir, listBackups } from "../../../backup/store.ts";
import { withClient } from "../../../stack/database.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** WAL that is not archived: no moment since could be restored. */
export async function checkArchive({
  url,
  home,
  settings,
}: Pick<DoctorContext, "url" | "home" | "settings">): Promise<Finding[]> {
  const failed = await withClient(url, async (client) => {
    const { rows } = await client.query<{ wal: string }>(
      "select last_failed_wal as wal from pg_catalog.pg_stat_archiver where last_failed_time > coalesce(last_archived_time, '-infinity')",
    );
    return rows[0]?.wal;
  });
  const rolledOn = listBackups(home).some(({ manifest }) => manifest.kind === "physical");
  const lost = settings.databaseUrl === undefined && rolledOn && !existsSync(getArchiveDir(home));
  return [
    ...(failed === undefined
      ? []
      : [
          wrong(
            `The server cannot archive its WAL: it fails at ${failed}, and keeps all since.`,
            "See its log. Until then no later point in time can be restored, and the disk fills.",
          ),
        ]),
    ...(lost
      ? [
          wrong(
            `${getArchiveDir(home)} is gone: no point in time after a backup can be restored.`,
            "Put it back, or make a new backup, which begins a new one.",
          ),
        ]
      : []),
  ];
}
