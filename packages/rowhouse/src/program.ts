import { Command } from "commander";
import { accessCommand } from "./commands/access.ts";
import { backupCommand } from "./commands/backup.ts";
import { cellsCommand } from "./commands/cells.ts";
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
import { version } from "./lib/project.ts";

/** The command with all its subcommands. */
export const program = new Command("rowhouse")
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
  .addCommand(cellsCommand)
  .addCommand(upgradeCommand)
  .addHelpText(
    "after",
    "\nSettings come from the environment and .env; .env.example explains each.",
  );
