import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { Manifest } from "../backup/manifest.ts";
import type { Restored } from "../backup/physical/restore.ts";
import { parseTime, type RestoreTime, selectBackup } from "../backup/select.ts";
import { findBackup } from "../backup/store.ts";
import { RowhouseError } from "../lib/errors.ts";
import { note, print, printResult } from "../lib/output.ts";
import { interruptible } from "../lib/signals.ts";
import { withoutPassword } from "../stack/database.ts";
import { type Home, openHome } from "../stack/home.ts";
import { readSettings, type Settings } from "../stack/settings.ts";
import { parseDatabaseUrl } from "./options.ts";

const help = `
Without a name it restores the newest backup (with --to: the newest from before that time); without
--to, the state at the end of the backup. A time without an offset is UTC: "2026-11-21 03:00", or
"2026-11-21 03:00+01". "--to latest" restores all WAL, including WAL not yet archived when the server
was killed.
Checksums are compared first. The stack must be stopped. The existing data is kept beside the new, as
data.before-<time>: delete it once you have verified the restore.
A dump is restored into an empty database only: with --url, or with DATABASE_URL set and neither
--to nor --into, it is the newest dump; otherwise the newest copy of the embedded database.
The exit code is 0 when the restore is complete, 1 on an error, 130 when interrupted. After an error
or an interruption nothing has changed.`;

interface Options {
  readonly to?: Exclude<RestoreTime, undefined>;
  readonly into?: string;
  readonly url?: string;
  readonly json?: true;
}

/** `rowhouse restore` */
export const restoreCommand = new Command("restore")
  .description("restore a backup, or any point in time after it")
  .argument("[backup]", "its name, from `rowhouse backup --list`")
  .option("--to <time>", 'the time, in UTC: "2026-11-21 03:00"; or "latest"', parseTo)
  .option("--into <home>", "another home, created if missing")
  .option("--url <url>", "the empty database to restore a dump into", parseDatabaseUrl)
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(bringBack);

function parseTo(text: string): Exclude<RestoreTime, undefined> {
  if (text === "latest") return text;
  const moment = parseTime(text);
  if (moment) return moment;
  throw new InvalidArgumentError('Give a time like "2026-11-21 03:00" (UTC), or "latest".');
}

async function bringBack(
  name: string | undefined,
  options: Options,
  command: Command,
): Promise<void> {
  const { to, into, url, json } = options;
  if (url !== undefined && (to !== undefined || into !== undefined)) {
    command.error(
      "error: --url is for a dump; dumps have no point-in-time recovery. --to and --into are for the embedded database",
    );
  }
  const settings = readSettings();
  const home = openHome(settings.home);
  const backup = selectBackup(home, name, to, getKind(home, name, options, settings));
  await interruptible(async (signal) => {
    const progress = { report: note, signal };
    if (backup.manifest.kind === "dump") {
      const target = url ?? settings.databaseUrl ?? noTarget(backup.name);
      const { restoreDump } = await import("../backup/dump/restore.ts");
      await restoreDump(backup, target, progress);
      print(`${backup.name} is restored into ${withoutPassword(target)}.`);
      return;
    }
    const { restore } = await import("../backup/physical/restore.ts");
    const target = into === undefined ? home : openHome(resolve(into));
    const restored = await restore(backup, to, home, target, progress);
    printResult(restored, json, describe);
  });
}

/** What is asked for: a dump is restored into a URL, the embedded database into a home. */
function getKind(
  home: Home,
  name: string | undefined,
  { to, into, url }: Options,
  { databaseUrl }: Settings,
): Manifest["kind"] {
  if (url !== undefined) return "dump";
  if (to !== undefined || into !== undefined) return "physical";
  if (name !== undefined) return findBackup(home, name).manifest.kind;
  return databaseUrl === undefined ? "physical" : "dump";
}

function noTarget(name: string): never {
  throw new RowhouseError(
    "restore_refused",
    `${name} is a dump, and neither --url nor DATABASE_URL names a database for it.`,
    "Name an empty one: --url postgres://...",
  );
}

function describe({ backup, lastCommit, endedBefore, dataDir, before }: Restored): string[] {
  const stands = lastCommit
    ? `its last change is of ${lastCommit}`
    : "nothing was changed between the backup and that time";
  return [
    `Restored from ${backup}: ${stands}.`,
    ...(endedBefore ? ["The WAL has no later change up to the time that you gave."] : []),
    `The data is in ${dataDir}.`,
    ...(before ? [`The previous data is in ${before}.`] : []),
  ];
}
