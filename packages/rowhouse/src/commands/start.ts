import { Command } from "commander";
import { colours } from "../lib/colours.ts";
import { note, noteIfSlow, print } from "../lib/output.ts";
import { version } from "../lib/project.ts";
import { waitForSignal } from "../lib/signals.ts";
import { readSettings } from "../stack/settings.ts";
import { type Stack, startStack } from "../stack/stack.ts";

/** `rowhouse start` */
export const startCommand = new Command("start")
  .description("start everything, and keep it running")
  .action(start);

async function start(): Promise<void> {
  const settings = readSettings();
  const ending = waitForSignal();

  const starting = Promise.race([startStack(settings, note), ending]);
  const stack = await noteIfSlow("Still starting ...", starting);
  // Interrupted while starting: the watchdog stops what runs already.
  if (typeof stack === "string") process.exit(1);

  for (const line of announcement(stack)) print(line);
  try {
    await Promise.race([ending, stack.done]);
  } finally {
    await stack.stop();
  }
  note("Rowhouse has stopped.");
}

function announcement({ apiUrl, database, applied }: Stack): string[] {
  const token = `${variablesOfThisShell()}npx rowhouse token alice@example.com`;
  return [
    `Rowhouse ${version()}`,
    `  Database:  ${database}`,
    ...(applied.length > 0 ? [`  Migrated:  ${applied.join(", ")}`] : []),
    `  A token:   ${token}`,
    `  Try it:    curl -s ${apiUrl}/tasks -H "Authorization: Bearer $(${token})" -H 'Prefer: return=representation' -d title='Say hello'`,
    colours.green(`Rowhouse is ready: ${apiUrl}`),
  ];
}

/** What was set for this shell alone, so that a pasted line means the same in another one. */
function variablesOfThisShell(): string {
  const home = process.env.ROWHOUSE_HOME;
  return home ? `ROWHOUSE_HOME='${home.replaceAll("'", "'\\''")}' ` : "";
}
