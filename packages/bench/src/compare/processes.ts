import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine. */
interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** What it and its ended children have used, in ms of CPU. */
  readonly cpuMs: number;
}

/** /proc counts in hundredths of a second, on every Linux that Node.js runs on. */
const tickMs = 10;
const pageBytes = 4096;

function readProcess(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    const rest = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(rest[field]), 0);
    return { pid, parent: Number(rest[1]), name, cpuMs: ticks * tickMs };
  } catch {
    return undefined; // It has ended meanwhile.
  }
}

function listProcesses(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** A process and all that descend from it. */
export function listTree(root: number): Process[] {
  const all = listProcesses();
  const tree = all.filter(({ pid }) => pid === root);
  for (const one of tree) tree.push(...all.filter(({ parent }) => parent === one.pid));
  return tree;
}

/** The CPU time of some processes and their descendants, in ms. */
export function sumCpu(roots: readonly number[]): number {
  return roots.flatMap(listTree).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** The memory of some processes and their descendants, in MB; what they share counts for each. */
export function sumMemory(roots: readonly number[]): number {
  const pages = roots.flatMap(listTree).map(({ pid }) => {
    try {
      return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    } catch {
      return 0;
    }
  });
  return (pages.reduce((sum, one) => sum + one, 0) * pageBytes) / 1e6;
}

/** The parent of a process. */
export function findParent(pid: number): number {
  return readProcess(pid)?.parent ?? 0;
}

/** The environment that a process was started with. */
export function readEnvironment(pid: number): Record<string, string> {
  const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [
      entry.slice(0, entry.indexOf("=")),
      entry.slice(entry.indexOf("=") + 1),
    ]),
  );
}
