import { Command } from "commander";
import { checkCommand } from "./db/check.ts";
import { diffCommand } from "./db/diff.ts";
import { migrationCommand } from "./db/migration.ts";

/** `rowhouse db` */
export const dbCommand = new Command("db")
  .description("compare sql/ and policies/ with db/migrations, and write missing migrations")
  .addCommand(checkCommand)
  .addCommand(diffCommand)
  .addCommand(migrationCommand);
