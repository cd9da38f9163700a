// Runs the pgTAP files with pg_prove, as a DBA would: node --import tsx tests/database/prove.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { libpqEnvironment } from "../src/backup/dump/tools.ts";
import { note } from "../src/lib/output.ts";
import { pgtapFiles } from "../src/testing/pgtap.ts";
import { startTestServer } from "../src/testing/server.ts";

const server = await startTestServer();
try {
  process.exitCode = await prove(server.url, server.pgtapTemplate);
} finally {
  await server.stop();
}

async function prove(serverUrl: string, database: string): Promise<number> {
  const child = spawn("pg_prove", pgtapFiles(), {
    env: { ...libpqEnvironment(serverUrl), PGDATABASE: database },
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
