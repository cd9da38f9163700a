import { Command } from "commander";
import { noteIfSlow, printResult } from "../lib/output.ts";
import { readSettings } from "../stack/settings.ts";

const help = `
The exit code is 1 when there is a problem now:
  a migration is pending,
  a stack runs in the home and its API does not answer, or every connection of its pool is busy,
  nine tenths of the server's connections are taken,
  a transaction has been open for more than 5 minutes,
  the last drill of a database failed.
A stack that does not run is shown, and is no problem. \`rowhouse doctor\` lists upcoming problems.
Backups and drills are those that the home knows of. When PostgREST loaded the schema is read from
its log in the home.`;

/** `rowhouse status` */
export const statusCommand = new Command("status")
  .description("show what runs, which migrations are applied, and current problems")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(async ({ json }: { json?: true }) => {
    const { readStatus } = await import("../health/status/status.ts");
    const { describeStatus } = await import("../health/status/text.ts");
    const status = await noteIfSlow("Still checking ...", readStatus(readSettings()));
    printResult(status, json, describeStatus);
    if (status.problems.length > 0) process.exitCode = 1;
  });
