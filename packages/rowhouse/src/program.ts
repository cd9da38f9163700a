import { Command } from "commander";
import { version } from "./lib/version.ts";

/** Each command, read only when it is asked for: reading all of them takes longer than most do. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import("./commands/init.ts")).initCommand,
  start: async () => (await import("./commands/start.ts")).startCommand,
  dev: async () => (await import("./commands/dev.ts")).devCommand,
  token: async () => (await import("./commands/token.ts")).tokenCommand,
  keys: async () => (await import("./commands/keys.ts")).keysCommand,
  migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
  rollback: async () => (await import("./commands/rollback.ts")).rollbackCommand,
  status: async () => (await import("./commands/status.ts")).statusCommand,
  psql: async () => (await import("./commands/psql.ts")).psqlCommand,
  slow: async () => (await import("./commands/slow.ts")).slowCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  backup: async () => (await import("./commands/backup.ts")).backupCommand,
  restore: async () => (await import("./commands/restore.ts")).restoreCommand,
  drill: async () => (await import("./commands/drill.ts")).drillCommand,
  types: async () => (await import("./commands/types.ts")).typesCommand,
  why: async () => (await import("./commands/why.ts")).whyCommand,
  rehearse: async () => (await import("./commands/rehearse.ts")).rehearseCommand,
  db: async () => (await import("./commands/db.ts")).dbCommand,
  access: async () => (await import("./commands/access.ts")).accessCommand,
  lint: async () => (await import("./commands/lint.ts")).lintCommand,
  mutants: async () => (await import("./commands/mutants.ts")).mutantsCommand,
  upgrade: async () => (await import("./commands/upgrade.ts")).upgradeCommand,
};

/**
 * The command with the subcommand that is asked for; with all of them for help, and for a name that
 * is none.
 *
 * @param args What follows the name of the program.
 */
export async function createProgram([first = ""]: readonly string[]): Promise<Command> {
  const program = new Command("rowhouse")
    .description(
      "A backend straight from PostgreSQL: tables, row-level security, REST and a typed client.",
    )
    .version(version())
    .addHelpText(
      "after",
      "\nSettings come from the environment and .env; .env.example explains each.",
    );
  if (["-V", "--version"].includes(first)) return program;
  const asked = Object.hasOwn(commands, first) ? [first] : Object.keys(commands);
  for (const name of asked) {
    const command = await commands[name]?.();
    if (command) program.addCommand(command);
  }
  return program;
}
