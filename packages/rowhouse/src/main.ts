#!/usr/bin/env node
import { Command } from "commander";
import { accessCommand } from "./commands/access.ts";
import { backupCommand } from "./commands/backup.ts";
import { dbCommand } from "./commands/db.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { drillCommand } from "./commands/drill.ts";
import { keysCommand } from "./commands/keys.ts";
import { lintCommand } from "./commands/lint.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { mutantsCommand } from "./commands/mutants.ts";
import { psqlCommand } from "./commands/psql.ts";
import { rehearseCommand } from "./commands/rehearse.ts";
import { restoreCommand } from "./commands/restore.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { slowCommand } from "./commands/slow.ts";
import { startCommand } from "./commands/start.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { typesCommand } from "./commands/types.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { whyCommand } from "./commands/why.ts";
import { errorCode, errorMessage, RowhouseError } from "./lib/errors.ts";
import { printBug, printFailure } from "./lib/output.ts";
import { version } from "./lib/project.ts";

const program = new Command("rowhouse")
  .description(
    "A backend straight from PostgreSQL: tables, row-level security, REST and a typed client.",
  )
  .version(version())
  .addCommand(startCommand)
  .addCommand(devCommand)
  .addCommand(tokenCommand)
  .addCommand(keysCommand)
  .addCommand(migrateCommand)
  .addCommand(rollbackCommand)
  .addCommand(statusCommand)
  .addCommand(psqlCommand)
  .addCommand(slowCommand)
  .addCommand(doctorCommand)
  .addCommand(backupCommand)
  .addCommand(restoreCommand)
  .addCommand(drillCommand)
  .addCommand(typesCommand)
  .addCommand(whyCommand)
  .addCommand(rehearseCommand)
  .addCommand(dbCommand)
  .addCommand(accessCommand)
  .addCommand(lintCommand)
  .addCommand(mutantsCommand)
  .addCommand(upgradeCommand)
  .addHelpText(
    "after",
    "\nSettings come from the environment and .env; .env.example explains each.",
  );

// A reader that has gone (a closed terminal, `| head`) takes no more lines: no reason to fail, and
// none to leave servers running.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const fileErrors = new Set(["EACCES", "EISDIR", "ENOENT", "ENOSPC", "ENOTDIR", "EPERM", "EROFS"]);

if (process.argv.length <= 2) program.help();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  const failure = toRowhouseError(error);
  if (failure instanceof RowhouseError) printFailure(failure);
  else printBug(failure);
}

/** Whether an error is about a path of the user's: programs that cannot be started are told elsewhere. */
function isFileError(error: unknown): boolean {
  const { path, syscall } = error as { path?: unknown; syscall?: unknown };
  const isFile = typeof path === "string" && !String(syscall).startsWith("spawn");
  return isFile && fileErrors.has(errorCode(error) ?? "");
}

/** Whatever a command does, the role that it does it with may lack the right (SQLSTATE 42501). */
function toRowhouseError(error: unknown): unknown {
  if (error instanceof RowhouseError) return error;
  if (isFileError(error)) {
    return new RowhouseError(
      "file_unusable",
      `A file cannot be read or written: ${errorMessage(error)}.`,
      "Check that its folder exists, and that you may read and write it.",
      { cause: error },
    );
  }
  if (errorCode(error) !== "42501") return error;
  return new RowhouseError(
    "database_refused",
    `The role in the database's URL is not allowed to do this: ${errorMessage(error)}.`,
    "Use the role that owns the tables, or a role with this privilege.",
    { cause: error },
  );
}
