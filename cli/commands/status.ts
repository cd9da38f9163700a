import { Command } from "commander";
import pc from "picocolors";
import { print } from "../output.ts";
import { withClient, withoutPassword } from "../stack/database.ts";
import { listMigrations, type Migration } from "../stack/dbmate.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { runningState } from "../stack/state.ts";

/** What `rowhouse status` tells. */
interface Status {
  readonly home: string;
  /** Undefined when no stack runs in the home. */
  readonly apiUrl: string | undefined;
  readonly database: string;
  readonly postgres: string;
  readonly migrations: readonly Migration[];
}

/** `rowhouse status` */
export const statusCommand = new Command("status")
  .description("tell what runs, and what is applied")
  .addHelpText("after", "\nThe exit code is 1 when a migration is pending.")
  .option("--json", "for programs")
  .action(async ({ json }: { json?: true }) => {
    const status = await readStatus();
    for (const line of json ? [JSON.stringify(status, null, 2)] : describe(status)) print(line);
    if (status.migrations.some(({ applied }) => !applied)) process.exitCode = 1;
  });

async function readStatus(): Promise<Status> {
  const settings = readSettings();
  const home = openHome(settings.home);
  const state = await runningState(home);
  const embeddedAtRest = !settings.databaseUrl && state === undefined;
  return withDatabase(settings, home, async (url) => ({
    home: home.dir,
    apiUrl: state?.apiUrl,
    database: embeddedAtRest ? "embedded, not running" : withoutPassword(url),
    postgres: await serverVersion(url),
    migrations: await listMigrations(url),
  }));
}

async function serverVersion(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ server_version: string }>("show server_version");
    return rows[0]?.server_version ?? "";
  });
}

function describe({ home, apiUrl, database, postgres, migrations }: Status): string[] {
  return [
    `Home:        ${home}`,
    `API:         ${apiUrl ?? "not running (npm start)"}`,
    `Database:    ${database} (PostgreSQL ${postgres})`,
    "Migrations:",
    ...migrations.map(
      ({ file, applied }) => `  ${applied ? pc.green("applied") : pc.yellow("pending")}  ${file}`,
    ),
  ];
}
