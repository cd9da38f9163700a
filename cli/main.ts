import { Command } from "commander";
import { migrateCommand } from "./commands/migrate.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { startCommand } from "./commands/start.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { typesCommand } from "./commands/types.ts";
import { RowhouseError } from "./errors.ts";
import { printBug, printFailure } from "./output.ts";
import { version } from "./project.ts";

const program = new Command("rowhouse")
  .description("A task-list API straight from PostgreSQL, where nobody reaches another's rows.")
  .version(version())
  .addCommand(startCommand)
  .addCommand(tokenCommand)
  .addCommand(migrateCommand)
  .addCommand(rollbackCommand)
  .addCommand(statusCommand)
  .addCommand(typesCommand)
  .addHelpText(
    "after",
    "\nSettings come from the environment and .env; .env.example explains each.",
  );

if (process.argv.length <= 2) program.help();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof RowhouseError) printFailure(error);
  else printBug(error);
}
