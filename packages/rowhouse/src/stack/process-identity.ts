import { readFileSync } from "node:fs";

/** A process, so that another one with the same id is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The boot of the machine and the time within it at which the process began; null where that is unknown. */
  readonly start: string | null;
}

/** What tells a process that runs from all others, also from those that get its id later. */
export function identify(pid: number): ProcessIdentity {
  return { pid, start: readStart(pid) };
}

/** Whether it is the process that still runs under its id. Where its start is unknown, the id decides. */
export function isSame({ pid, start }: ProcessIdentity): boolean {
  return start === null || start === readStart(pid);
}

/** Field 22 of /proc/<pid>/stat, in ticks since the boot (proc_pid_stat(5)); null on a system without /proc. */
function readStart(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets, which can hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return `${boot} ${fields[19]}`;
  } catch {
    return null;
  }
}
