import { lastBackup, lastDrill } from "../../status/copies.ts";
import { ago, secondsSince } from "../../status/format.ts";
import { type Finding, type Patient, wrong } from "../check.ts";

/** A daily backup, and two hours for it to run late. */
const oldBackup = 26 * 3600;
const oldDrill = 31 * 86_400;

/** The newest backup and the last drill that the home knows of. */
export function checkBackups({ home }: Pick<Patient, "home">): Finding[] {
  const [backup, drill] = [lastBackup(home), lastDrill(home)];
  if (backup === undefined) {
    return [
      {
        level: "note",
        message: `${home.dir} holds no backup.`,
        remedy: "Where the data matters, back it up daily: `npx rowhouse backup`.",
      },
    ];
  }
  const again = "Run `npx rowhouse drill`.";
  return [
    ...(secondsSince(backup) > oldBackup
      ? [wrong(`The newest backup was made ${ago(backup)}.`, "See why the schedule stopped.")]
      : []),
    ...(drill === undefined ? [wrong("No backup was ever tried out.", again)] : []),
    ...(drill?.ok === false ? [wrong("The last drill failed.", `See why. ${again}`)] : []),
    ...(drill && secondsSince(drill.finishedAt) > oldDrill
      ? [wrong(`The last drill was ${ago(drill.finishedAt)}.`, again)]
      : []),
  ];
}
