#!/usr/bin/env node
import { parseArgs } from "node:util";
import { AuthError, describeError } from "./errors.ts";
import { log } from "./log.ts";
import { createPool } from "./pool.ts";
import { rotateKeys } from "./rotate.ts";
import { serve } from "./serve.ts";
import { type AuthSettings, readAuthSettings } from "./settings.ts";
import { listKeys } from "./signing-keys.ts";

const usage = "rowhouse-auth, rowhouse-auth keys list, or rowhouse-auth keys rotate [--revoke]";

/** `keys list` and `keys rotate`: they print the keys as JSON. */
async function runKeys(action: string, revoke: boolean): Promise<void> {
  const settings = readAuthSettings();
  const pool = createPool(settings.databaseUrl);
  try {
    const context = { pool, settings };
    if (action === "rotate") {
      const report = (line: string) => void process.stderr.write(`${line}\n`);
      await rotateKeys(context, { apiUrl: requireApiUrl(settings), revoke, report });
    }
    process.stdout.write(`${JSON.stringify(await listKeys(context), null, 2)}\n`);
  } finally {
    await pool.end();
  }
}

function requireApiUrl({ apiUrl }: AuthSettings): string {
  if (apiUrl !== undefined) return apiUrl;
  throw new AuthError(
    "settings_invalid",
    "AUTH_API_URL is missing.",
    "Set it to the address of PostgREST: the new key signs when PostgREST knows it.",
  );
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { revoke: { type: "boolean", default: false } },
  });
  const command = positionals.join(" ");
  if (command === "") return serve();
  if (command === "keys rotate") return runKeys("rotate", values.revoke);
  if (command === "keys list") return runKeys("list", false);
  throw new AuthError("usage", `There is no command "${command}".`, `Use ${usage}.`);
}

try {
  await main();
} catch (error) {
  if (process.argv.length > 2) process.stderr.write(`${describeError(error)}\n`);
  else log(describeError(error));
  process.exitCode = 1;
}
