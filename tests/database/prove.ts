// Runs the pgTAP files with pg_prove, as a DBA would: node --import tsx tests/database/prove.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { note } from "../../cli/output.ts";
import { startTestServer } from "../support/server.ts";

const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".sql"))
  .map((name) => join(import.meta.dirname, name));

const server = await startTestServer();
try {
  process.exitCode = await prove(server.url, server.pgtapTemplate);
} finally {
  await server.stop();
}

async function prove(serverUrl: string, database: string): Promise<number> {
  const child = spawn("pg_prove", files, {
    env: { ...process.env, ...libpqVariables(serverUrl), PGDATABASE: database },
    stdio: "inherit",
  });
  try {
    const [code] = await once(child, "exit");
    return code ?? 1;
  } catch (error) {
    note(`pg_prove cannot be run: ${error}`);
    note("Debian and Ubuntu: apt install libtap-parser-sourcehandler-pgtap-perl postgresql-client");
    note("Others: cpan TAP::Parser::SourceHandler::pgTAP, and psql in PATH.");
    return 1;
  }
}

/** In the environment, and not in the arguments: those can be read by every user of the machine. */
function libpqVariables(serverUrl: string): Record<string, string> {
  const { hostname, port, username, password, searchParams } = new URL(serverUrl);
  return {
    PGHOST: hostname,
    PGPORT: port || "5432",
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGSSLMODE: searchParams.get("sslmode") ?? "prefer",
  };
}
