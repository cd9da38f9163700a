import { Command, Option } from "commander";
import { RowhouseError } from "../lib/errors.ts";
import { noteIfSlow, print, printResult } from "../lib/output.ts";
import { findDatabaseUrl } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";

const help = `
The exit code is 1 when there is a problem now:
  a migration is pending,
  a stack runs in the home and its API or its sign-in service does not answer, or every connection of
  its pool is busy,
  nine tenths of the server's connections are taken,
  a transaction has been open for more than 5 minutes,
  the last drill of a database failed.
A stack that does not run is shown, and is no problem. \`rowhouse doctor\` lists upcoming problems.
Backups and drills are those that the home knows of. When PostgREST loaded the schema is read from
its log in the home.`;

/** `rowhouse status` */
export const statusCommand = new Command("status")
  .description("show what runs, which migrations are applied, and current problems")
  .addOption(
    new Option("--url", "only print the URL of the database, with its password").conflicts("json"),
  )
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(async ({ json, url }: { json?: true; url?: true }) => {
    if (url) return printUrl();
    const { readStatus } = await import("../health/status/status.ts");
    const { describeStatus } = await import("../health/status/text.ts");
    const status = await noteIfSlow("Still checking ...", readStatus(readSettings()));
    printResult(status, json, describeStatus);
    if (status.problems.length > 0) process.exitCode = 1;
  });

/** The embedded database has an address only while it runs. */
async function printUrl(): Promise<void> {
  const settings = readSettings();
  const url = await findDatabaseUrl(settings, openHome(settings.home));
  if (url === undefined) {
    throw new RowhouseError(
      "database_unreachable",
      `No stack runs in ${settings.home}, so its database has no address.`,
      "Run `npm start`, then try again; `npx rowhouse psql` starts the database by itself.",
    );
  }
  print(url);
}
