import { readFileSync } from "node:fs";
import { waitFor } from "../../src/lib/wait.ts";

/** The child processes of a process, by the name of their program. */
export function listChildren(parent: number): Record<string, number> {
  const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").split(" ");
  return Object.fromEntries(pids.filter(Boolean).flatMap(readProgram));
}

/** The name and id of a process; nothing when it has ended since it was listed. */
function readProgram(pid: string): [program: string, pid: number][] {
  try {
    return [[readFileSync(`/proc/${pid}/comm`, "utf8").trim(), Number(pid)]];
  } catch {
    return [];
  }
}

/** Whether a process is there (and not a zombie, which only waits to be buried). */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Resolves with true when the processes are gone, with false when the time runs out. */
export async function areGone(pids: readonly number[], limitMs = 10_000): Promise<boolean> {
  const gone = () => (pids.some(isRunning) ? undefined : true);
  return (await waitFor(gone, 10, limitMs)) ?? false;
}
