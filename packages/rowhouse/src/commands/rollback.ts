import { Command, InvalidArgumentError } from "commander";
import { RowhouseError } from "../lib/errors.ts";
import { note, print } from "../lib/output.ts";
import { assertRollable } from "../stack/baseline.ts";
import { rollback, waitingText } from "../stack/dbmate.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";

/** `rowhouse rollback [steps]` */
export const rollbackCommand = new Command("rollback")
  .description("roll back the newest migration, with its data")
  .argument("[steps]", "how many migrations, or all", parseSteps, 1)
  .option("-y, --yes", "confirm it for the database in DATABASE_URL")
  .action(async (steps: number, { yes }: { yes?: true }) => {
    const settings = readSettings();
    if (settings.databaseUrl && !yes) {
      throw new RowhouseError(
        "not_confirmed",
        "A rollback drops tables and their data, and DATABASE_URL names a database outside the home.",
        "Nothing was changed. Add --yes if that is what you want.",
      );
    }
    const taken = await withDatabase(settings, openHome(settings.home), async (url) => {
      await assertRollable(url, steps);
      return rollback(url, steps, () => note(waitingText));
    });
    for (const version of taken) print(`rolled back ${version}`);
    if (taken.length === 0) print("Nothing to do: no migration is applied.");
  });

function parseSteps(value: string): number {
  if (value === "all") return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Give a whole number from 1, or "all".');
}
