import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process, so that another one with the same id is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /**
   * The boot of the machine and the time within it at which the process began, or that time alone; null
   * where there is no such process.
   */
  readonly start: string | null;
}

/** What tells a process that runs from all others, also from those that get its id later. */
export function identify(pid: number): ProcessIdentity {
  return { pid, start: readStart(pid) };
}

/** Whether it is the process that still runs under its id. One whose start is unknown is none that can be told. */
export function isSame({ pid, start }: ProcessIdentity): boolean {
  return start !== null && start === readStart(pid);
}

function readStart(pid: number): string | null {
  return process.platform === "linux" ? readStartFromProc(pid) : readStartFromPs(pid);
}

/** Field 22 of /proc/<pid>/stat, in ticks since the boot (proc_pid_stat(5)). */
function readStartFromProc(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets, which can hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // One that has ended, and whom its parent does not collect, as where `sleep` is a container's first process.
    if (fields[0] === "Z") return null;
    return `${boot} ${fields[19]}`;
  } catch {
    return null;
  }
}

/** To the second, for systems without /proc, as macOS. */
export function readStartFromPs(pid: number): string | null {
  try {
    const env = { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
    const args = ["-o", "lstart=", "-p", String(pid)];
    return execFileSync("ps", args, { env, encoding: "utf8", stdio: "pipe" }).trim() || null;
  } catch {
    return null;
  }
}
