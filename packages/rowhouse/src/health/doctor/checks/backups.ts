import { ago, secondsSince } from "../../../lib/format.ts";
import { type Copies, readCopies } from "../../status/copies.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** A daily backup, and two hours for it to run late. */
const oldBackup = 26 * 3600;
const oldDrill = 31 * 86_400;

/** The newest backup and the last drill of each database that the home holds backups of. */
export function checkBackups({ home }: Pick<DoctorContext, "home">): Finding[] {
  const copies = readCopies(home);
  if (copies.length > 0) return copies.flatMap((one, index) => checkCopies(one, index === 0));
  return [
    {
      level: "note",
      message: `${home.dir} holds no backup.`,
      remedy: "Where the data matters, back it up daily: `npx rowhouse backup`.",
    },
  ];
}

/** @param isNewest Of all. That another database has no newer one can be meant: a dump by hand. */
function checkCopies({ database, lastBackup, drill }: Copies, isNewest: boolean): Finding[] {
  const message = `The newest backup of ${database} was made ${ago(lastBackup)}.`;
  const stopped = "See why the schedule stopped.";
  const meant = `${stopped} If that is meant, there is nothing to do.`;
  const again = "Run `npx rowhouse drill`.";
  const old: Finding = isNewest
    ? wrong(message, stopped)
    : { level: "note", message, remedy: meant };
  return [
    ...(secondsSince(lastBackup) > oldBackup ? [old] : []),
    ...(drill === undefined ? [wrong(`No backup of ${database} was ever drilled.`, again)] : []),
    ...(drill?.ok === false
      ? [wrong(`The last drill of ${database} failed.`, `See why. ${again}`)]
      : []),
    ...(drill && secondsSince(drill.finishedAt) > oldDrill
      ? [wrong(`The last drill of ${database} was ${ago(drill.finishedAt)}.`, again)]
      : []),
  ];
}
