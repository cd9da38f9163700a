import { join } from "node:path";
import { Command } from "commander";
import type { Dev } from "../dev/dev.ts";
import { colours } from "../lib/colours.ts";
import { RowhouseError } from "../lib/errors.ts";
import { note, print, printBug, printFailure } from "../lib/output.ts";
import { interruptible, waitForSignal } from "../lib/signals.ts";
import { readSettings } from "../stack/settings.ts";

/** `rowhouse dev` */
export const devCommand = new Command("dev")
  .description("start everything, and apply each save in sql/ and policies/ to the home's database")
  .option("--allow-drop", "let a save drop tables and columns with their data")
  .action(dev);

async function dev({ allowDrop = false }: { allowDrop?: boolean }): Promise<void> {
  const settings = readSettings();
  if (settings.databaseUrl) {
    throw new RowhouseError(
      "settings_invalid",
      "DATABASE_URL is set, and dev changes the database of the home alone.",
      "Take it out of the environment and .env; for another database there is `rowhouse db diff --against`.",
    );
  }
  const ending = waitForSignal();
  const { startDev } = await import("../dev/dev.ts");
  const { root } = settings.project;
  const running = await interruptible(
    (signal) => startDev({ settings, allowDrop, root, report, signal }),
    ending,
  );
  for (const line of announcement(running)) print(line);
  try {
    await Promise.race([ending, running.done]);
  } finally {
    await running.stop();
  }
  note("Rowhouse has stopped.");
}

function announcement({ apiUrl, watched }: Dev): string[] {
  return [
    `Watching ${watched.map((dir) => join(dir, "/")).join(" and ")}`,
    colours.green(`Rowhouse is ready: ${apiUrl}`),
  ];
}

/** Prints a line, or a failure that leaves the last good state running. */
function report(what: string | Error): void {
  if (typeof what === "string") print(what);
  else if (what instanceof RowhouseError) printFailure(what);
  else printBug(what);
}
