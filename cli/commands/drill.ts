import { Command } from "commander";
import type { Drill } from "../backup/drill.ts";
import { colours } from "../colours.ts";
import { note, printResult } from "../output.ts";
import { interruptible } from "../signals.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";

const help = `
The backup is restored into a scratch folder and server, and compared with what its manifest says:
checksums, rows and their content, sequences, settings, policies, grants, roles and memberships;
amcheck looks into every index. Then PostgREST serves it, and two fresh users try each verb on their
own row and on each other's. Nothing of your own is touched.
RPO is the age of the newest state that could be restored, RTO how long the restore took here.
What was found is written to drill.json in the home.
The exit code is 0 when everything holds, 1 when anything does not, 130 when interrupted.`;

/** `rowhouse drill` */
export const drillCommand = new Command("drill")
  .description("restore the newest backup into a scratch server, and prove it")
  .argument("[backup]", "another one, of `rowhouse backup --list`")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(drillOne);

async function drillOne(name: string | undefined, { json }: { json?: true }): Promise<void> {
  const settings = readSettings();
  const home = openHome(settings.home);
  const { drill, raisePhysical, recordDrill } = await import("../backup/drill.ts");
  const { findBackup } = await import("../backup/places.ts");
  const backup = findBackup(home, name);
  await interruptible(async (signal) => {
    const raise =
      backup.manifest.kind === "physical"
        ? raisePhysical(home)
        : (await import("../backup/dump-restore.ts")).raiseDump;
    const progress = { tell: note, signal };
    const report = await drill(backup, home, settings.postgrestBin, raise, progress);
    recordDrill(home, report);
    printResult(report, json, describe);
    if (!report.ok) process.exitCode = 1;
  });
}

function describe({ backup, checks, ok, rpoSeconds, rtoSeconds }: Drill): string[] {
  const lines = checks.flatMap(({ name, of, faults }) => [
    `  ${faults.length === 0 ? colours.green("holds") : colours.red("FAILS")}  ${name.padEnd(10)} ${of}`,
    ...faults.slice(0, 20).map((fault) => `         ${colours.red(fault)}`),
  ]);
  return [
    `Drill of ${backup}:`,
    ...lines,
    `RPO: ${rpoSeconds} s, the age of the newest state that can be restored.`,
    `RTO: ${rtoSeconds === null ? "nothing was restored" : `${rtoSeconds} s, checksums and WAL included`}.`,
    ok ? colours.green("The backup is proven.") : colours.red("The backup is not proven."),
  ];
}
