import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { Command } from "commander";
import { libpqEnvironment } from "../backup/dump/tools.ts";
import { errorCode, RowhouseError } from "../lib/errors.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";

const help = `
The arguments go to psql as they are: \`rowhouse psql -c 'select 1'\`. It signs in as the database's
owner, whom row-level security does not hold. An embedded database that does not run is started for
as long as psql runs. Other programs take the URL that \`rowhouse status --url\` prints.`;

/** `rowhouse psql` */
export const psqlCommand = new Command("psql")
  .description("open psql on the database")
  .argument("[arguments...]", "handed to psql")
  .allowUnknownOption()
  .helpOption("-h, --help", "display help for command")
  .addHelpText("after", help)
  .action(psql);

async function psql(args: readonly string[]): Promise<void> {
  const settings = readSettings();
  process.exitCode = await withDatabase(settings, openHome(settings.home), (url) =>
    runPsql(url, args),
  );
}

/** @returns The exit code of psql; 128 and the signal's number when one ended it, as shells say. */
async function runPsql(url: string, args: readonly string[]): Promise<number> {
  // Ctrl-C is psql's: it cancels a statement, and must not end this process under it.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  const child = spawn("psql", args, { env: libpqEnvironment(url), stdio: "inherit" });
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new RowhouseError(
      "tool_missing",
      "psql is not on the PATH.",
      "Install it (Debian and Ubuntu: apt install postgresql-client; macOS: brew install libpq), or give the URL of `npx rowhouse status --url` to another client.",
      { cause: error },
    );
  } finally {
    process.off("SIGINT", ignore);
  }
}
