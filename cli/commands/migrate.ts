import { Command } from "commander";
import { note, print } from "../output.ts";
import { migrate } from "../stack/dbmate.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";

/** `rowhouse migrate` */
export const migrateCommand = new Command("migrate")
  .description("apply the pending migrations with dbmate")
  .action(async () => {
    const settings = readSettings();
    const applied = await withDatabase(settings, openHome(settings.home), (url) =>
      migrate(url, waitingNote),
    );
    for (const file of applied) print(`applied ${file}`);
    if (applied.length === 0) print("Nothing to do: every migration is applied.");
  });

/** Says why nothing happens for a while. */
export function waitingNote(): void {
  note("Another migration is running: waiting for it to end.");
}
