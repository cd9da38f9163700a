import { Command } from "commander";
import { colours } from "../lib/colours.ts";
import { quoteForShell } from "../lib/format.ts";
import { note, noteIfSlow, print } from "../lib/output.ts";
import { interruptible, waitForSignal } from "../lib/signals.ts";
import { version } from "../lib/version.ts";
import { canSign } from "../stack/jwt-secret.ts";
import { readSettings } from "../stack/settings.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { canIssueTokens } from "../stack/token.ts";
import { findSampleRequest, type SampleRequest } from "../testing/two-users/sample.ts";

const help = `
PostgreSQL (unless DATABASE_URL names one), the pending migrations, the sign-in service (unless AUTH=off)
and PostgREST. A server that ends is started again. Without SMTP_URL the mails of the sign-in service are
printed here, with their links, and kept in mail/ of the home directory (.rowhouse/).`;

/** `rowhouse start` */
export const startCommand = new Command("start")
  .description("start everything, and keep it running")
  .addHelpText("after", help)
  .action(start);

async function start(): Promise<void> {
  const settings = readSettings();
  const ending = waitForSignal();

  const starting = interruptible((signal) => startStack(settings, note, { signal }), ending);
  const stack = await noteIfSlow("Still starting ...", starting);

  const example = await findExample(stack.databaseUrl, settings.databaseUrl === undefined);
  const issues = await canIssueTokens(stack.databaseUrl, settings.jwtSecret);
  const signs = settings.jwtSecret === undefined || canSign(settings.jwtSecret);
  for (const line of announcement(stack, example, { issues, signs })) print(line);
  try {
    await Promise.race([ending, stack.done]);
  } finally {
    await stack.stop();
  }
  note("Rowhouse has stopped.");
}

/** A request to show. A database in which none can be found out serves all the same. */
async function findExample(
  databaseUrl: string,
  isEmbedded: boolean,
): Promise<SampleRequest | undefined> {
  return findSampleRequest(databaseUrl, isEmbedded).catch(() => undefined);
}

function announcement(
  { apiUrl, signIn, database, applied }: Stack,
  example: SampleRequest | undefined,
  { issues, signs }: { issues: boolean; signs: boolean },
): string[] {
  const command = `${variablesOfThisShell()}npx rowhouse token alice@example.com`;
  const token = issues ? `$(${command})` : "$TOKEN";
  return [
    `Rowhouse ${version()}`,
    `  Database:  ${database}`,
    ...(applied.length > 0 ? [`  Migrated:  ${applied.join(", ")}`] : []),
    `  Sign-in:   ${describeSignIn(signIn)}`,
    `  A token:   ${issues ? command : describeTokens(signs)}`,
    `  Try it:    ${curlFor(apiUrl, token, example)}`,
    colours.green(`Rowhouse is ready: ${apiUrl}`),
  ];
}

/** Where the users are made elsewhere; with a secret that signs, for any id. */
function describeTokens(signs: boolean): string {
  const provider = "from your identity provider";
  return signs
    ? `${variablesOfThisShell()}npx rowhouse token --sub <id>, or ${provider}`
    : provider;
}

function describeSignIn(signIn: Stack["signIn"]): string {
  if ("url" in signIn) return signIn.url;
  return "provider" in signIn ? `at ${signIn.provider}` : `off: ${signIn.offBecause}`;
}

/** A line for the shell that makes a request. */
function curlFor(apiUrl: string, token: string, example: SampleRequest | undefined): string {
  if (example === undefined) return `curl -s ${apiUrl}/`;
  const request = `curl -s ${quoteForShell(`${apiUrl}/${encodeURIComponent(example.table)}`)} -H "Authorization: Bearer ${token}"`;
  if (example.row === undefined) return request;
  return `${request} -H 'Prefer: return=representation' ${dataFor(example.row)}`;
}

/** A row as curl sends it: as fields of a form where they are plain words, else as JSON. */
function dataFor(row: NonNullable<SampleRequest["row"]>): string {
  const fields = Object.entries(row);
  const isPlain = ([name, value]: [string, unknown]) =>
    typeof value !== "object" && /^\w+$/.test(name) && /^[\w .-]+$/.test(String(value));
  return fields.length > 0 && fields.every(isPlain)
    ? fields.map(([name, value]) => `-d ${name}=${quoteForShell(String(value))}`).join(" ")
    : `-H 'Content-Type: application/json' -d ${quoteForShell(JSON.stringify(row), true)}`;
}

/** What was set for this shell alone, so that a pasted line means the same in another one. */
function variablesOfThisShell(): string {
  const home = process.env.ROWHOUSE_HOME;
  return home ? `ROWHOUSE_HOME=${quoteForShell(home, true)} ` : "";
}
