import { Command } from "commander";
import type { Backup } from "../backup/manifest.ts";
import { size } from "../lib/format.ts";
import { note, printResult } from "../lib/output.ts";
import { interruptible } from "../lib/signals.ts";
import { withExistingDatabase } from "../stack/embedded.ts";
import { type Home, openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { parseCount, parseDatabaseUrl } from "./options.ts";

const help = `
The embedded database is copied while it runs, with its WAL: every point in time from the backup on
can be restored. A database in DATABASE_URL or --url is dumped with pg_dump, with its roles.
Backups are in backups/ of the home directory (.rowhouse/), and WAL in wal/; nothing is overwritten.
A backup holds every row and secret of the database: keep a copy elsewhere, and protect it like the
database itself.
Without --keep and --keep-days nothing is removed; with both, a backup that either keeps stays. They
count and remove backups of the same database only.
The exit code is 0 when the backup is complete, 1 on an error, 130 when interrupted: then nothing of
it is left.`;

interface Options {
  readonly url?: string;
  readonly keep?: number;
  readonly keepDays?: number;
  readonly list?: true;
  readonly json?: true;
}

/** `rowhouse backup` */
export const backupCommand = new Command("backup")
  .description("back up the database while it is in use")
  .option("--url <url>", "the database to dump; default is that of the settings", parseDatabaseUrl)
  .option("--keep <n>", "keep only the newest <n> backups", parseCount)
  .option("--keep-days <n>", "keep only the backups of the last <n> days", parseCount)
  .option("--list", "list the backups")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(backUp);

async function backUp(options: Options): Promise<void> {
  const settings = readSettings();
  const home = openHome(settings.home);
  if (options.list) return list(home, options.json);
  const { makeBackup } = await import("../backup/backup.ts");
  const { applyRetention } = await import("../backup/retention.ts");
  const { takePhysical } = await import("../backup/physical/physical.ts");
  const { takeDump } = await import("../backup/dump/dump.ts");
  const dumped = options.url ?? settings.databaseUrl;
  await interruptible(async (signal) => {
    const progress = { report: note, signal };
    const backup = await makeBackup(home, progress, (draft) =>
      dumped
        ? takeDump(dumped, draft, progress)
        : withExistingDatabase(settings, home, (url) => takePhysical(url, home, draft, progress)),
    );
    const removed = applyRetention(home, backup, options);
    printResult({ ...summary(backup), removed }, options.json, (made) => [
      describe(made),
      ...removed.map((name) => `Removed ${name}.`),
    ]);
  });
}

async function list(home: Home, json: true | undefined): Promise<void> {
  const { listBackupNames, listBackups } = await import("../backup/store.ts");
  const backups = listBackups(home);
  const lost = listBackupNames(home).filter(
    (name) => !backups.some((backup) => backup.name === name),
  );
  for (const name of lost) note(`${name} is unusable: cannot read its manifest.`);
  printResult(backups.map(summary), json, (all) =>
    all.length === 0 ? ["No backup yet. Make one: npx rowhouse backup"] : all.map(describe),
  );
}

type Summary = ReturnType<typeof summary>;

function summary({ name, dir, manifest }: Backup) {
  const { kind, source, startedAt, finishedAt, postgresVersion, files, tables } = manifest;
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const rows = tables.reduce((sum, table) => sum + Number(table.rows), 0);
  return { name, dir, kind, source, startedAt, finishedAt, postgresVersion, bytes, rows };
}

function describe({ name, kind, source, finishedAt, bytes, rows }: Summary): string {
  const held = `${rows.toLocaleString("en")} rows, ${size(bytes)}${source ? `, of ${source}` : ""}`;
  return `${name}  ${kind.padEnd(8)}  holds all until ${finishedAt}, ${held}`;
}
