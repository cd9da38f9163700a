import { Command } from "commander";
import type { Diagnosis } from "../health/doctor/doctor.ts";
import { colours } from "../lib/colours.ts";
import { RowhouseError } from "../lib/errors.ts";
import { noteIfSlow, printResult } from "../lib/output.ts";
import { readSettings, type Settings } from "../stack/settings.ts";

const help = `
It checks versions, keys, roles, indexes, generated files, migrations, clocks, disk, backups, the
archive of WAL, the sign-in service, and settings that PostgREST has not picked up. It changes nothing.
The exit code is 1 when it finds a problem; notes do not count.`;

/** `rowhouse doctor` */
export const doctorCommand = new Command("doctor")
  .description("list current and upcoming problems, and how to fix them")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(async ({ json }: { json?: true }) => {
    const settings = readSettingsOrFault();
    const found = await noteIfSlow("Still checking ...", examineSettings(settings));
    printResult(found, json, describe);
    if (found.some(({ level }) => level === "wrong")) process.exitCode = 1;
  });

/** Without settings there is nothing else to look at: they are the finding then. */
function readSettingsOrFault(): Settings | Diagnosis {
  try {
    return readSettings();
  } catch (error) {
    if (!(error instanceof RowhouseError)) throw error;
    const { message, remedy } = error;
    return { check: "settings", level: "wrong", message, remedy };
  }
}

async function examineSettings(settings: Settings | Diagnosis): Promise<Diagnosis[]> {
  if ("check" in settings) return [settings];
  const { examine } = await import("../health/doctor/doctor.ts");
  return examine(settings);
}

function describe(found: readonly Diagnosis[]): string[] {
  const count = found.filter(({ level }) => level === "wrong").length;
  return [
    ...found.flatMap(({ check, level, message, remedy }) => [
      `${level === "wrong" ? colours.red("wrong") : colours.yellow("note ")} ${colours.dim(`[${check}]`)} ${message}`,
      `      ${remedy}`,
    ]),
    count === 0 ? "No problems found." : `${count} ${count === 1 ? "problem" : "problems"} found.`,
  ];
}
