import { Command } from "commander";
import type { Drill } from "../backup/drill/drill.ts";
import { colours } from "../lib/colours.ts";
import { note, printResult } from "../lib/output.ts";
import { interruptible } from "../lib/signals.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";

const help = `
Without a name it drills the newest backup of each database that the home has backups of: the
embedded one, and each that was dumped.
The backup is restored into a scratch folder and server, and compared with its manifest:
checksums, rows, sequences, settings, policies, grants, roles and memberships; amcheck checks every
index. Then PostgREST serves it, and two new users try each verb on their own row and on each
other's. Your own data is not touched.
RPO is the age of the newest state that could be restored, RTO how long the restore took here.
The last result for each database is written to drill.json in the home.
The exit code is 0 when every check passes, 1 when one fails, 130 when interrupted.`;

/** `rowhouse drill` */
export const drillCommand = new Command("drill")
  .description("restore the newest backups on a scratch server, and verify them")
  .argument("[backup]", "another backup, from `rowhouse backup --list`")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(drillThem);

async function drillThem(name: string | undefined, { json }: { json?: true }): Promise<void> {
  const settings = readSettings();
  const home = openHome(settings.home);
  const { drill, bringUpPhysical } = await import("../backup/drill/drill.ts");
  const { bringUpDump } = await import("../backup/dump/restore.ts");
  const { recordDrill } = await import("../backup/drill/history.ts");
  const { findBackup, findNewestBackups } = await import("../backup/store.ts");
  const backups = name === undefined ? findNewestBackups(home) : [findBackup(home, name)];
  await interruptible(async (signal) => {
    const progress = { report: note, signal };
    const reports: Drill[] = [];
    for (const backup of backups) {
      const bringUp = backup.manifest.kind === "physical" ? bringUpPhysical(home) : bringUpDump;
      const report = await drill(backup, home, settings.postgrestBin, bringUp, progress);
      recordDrill(home, report);
      reports.push(report);
    }
    printResult(reports, json, (all) => all.flatMap(describe));
    if (!reports.every(({ ok }) => ok)) process.exitCode = 1;
  });
}

function describe({ backup, database, checks, ok, rpoSeconds, rtoSeconds }: Drill): string[] {
  const lines = checks.flatMap(({ name, of, faults, notTried }) => [
    `  ${describeResult(faults, notTried)}  ${name.padEnd(10)} ${of}`,
    ...faults.slice(0, 20).map((fault) => `         ${colours.red(fault)}`),
  ]);
  return [
    `Drill of ${backup}, of ${database}:`,
    ...lines,
    `RPO: ${rpoSeconds} s, the age of the newest state that can be restored.`,
    `RTO: ${rtoSeconds === null ? "nothing was restored" : `${rtoSeconds} s, checksums and WAL included`}.`,
    ok ? colours.green("The backup is proven.") : colours.red("The backup is not proven."),
  ];
}

function describeResult(faults: readonly string[], notTried: true | undefined): string {
  if (faults.length > 0) return colours.red("FAILS");
  return notTried ? colours.yellow("not tried") : colours.green("holds");
}
