import { Command } from "commander";
import { adoptCommand } from "./db/adopt.ts";
import { checkCommand } from "./db/check.ts";
import { diffCommand } from "./db/diff.ts";
import { migrationCommand } from "./db/migration.ts";
import { tableCommand } from "./db/table.ts";

/** `rowhouse db` */
export const dbCommand = new Command("db")
  .description("compare sql/ and policies/ with db/migrations, write migrations and new tables")
  .addCommand(checkCommand)
  .addCommand(diffCommand)
  .addCommand(migrationCommand)
  .addCommand(tableCommand)
  .addCommand(adoptCommand);
