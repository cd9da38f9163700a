import { statfsSync } from "node:fs";
import { percent, size } from "../../../lib/format.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

const gigabyte = 1e9;

/** The disk that the home is on. */
export function checkDisk({ home }: Pick<DoctorContext, "home">): Finding[] {
  const { bavail, blocks, bsize } = statfsSync(home.dir);
  return diskFindings(home.dir, bavail * bsize, blocks * bsize);
}

/** Findings about so many bytes being free. */
export function diskFindings(dir: string, free: number, total: number): Finding[] {
  // A tenth of a large disk is still much.
  const nearlyFull = free < gigabyte || (free < total / 10 && free < 20 * gigabyte);
  if (!nearlyFull) return [];
  return [
    wrong(
      `The disk of ${dir} has ${size(free)} left, ${percent(free / total)} of it: PostgreSQL stops when it is full.`,
      "Make room, or move the home to a larger disk.",
    ),
  ];
}
