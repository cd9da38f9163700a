import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { appendLog, rotateLog } from "./log-files.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** How to run a server program. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Everything that the program prints is appended here; what is large already is put aside. */
  readonly logFile: string;
  /**
   * For a program that fails when it cannot write its log: this process writes it, and drops what a
   * full disk does not take.
   */
  readonly relayLog?: true;
}

/** A server program that runs. */
export interface Server extends ProcessIdentity {
  /** What asks it to end in good order. */
  readonly signal: NodeJS.Signals;
  /** Resolves when the program has ended, with how: "exit code 1" or "signal SIGKILL". */
  readonly ended: Promise<string>;
  /** Undefined while it runs, afterwards how it ended. */
  readonly end: () => string | undefined;
  /** Ends the program at once. */
  readonly kill: () => void;
  /** Asks the program to end, insists after 10 s, and resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

const stopTimeoutMs = 10_000;

/**
 * Starts a server program in a process group of its own, so that a Ctrl-C meant for the stack
 * reaches the stack alone.
 *
 * @param signal What asks this program to end in good order.
 * @throws Error from the system when the program cannot be started.
 */
export async function launch(options: Launch, signal: NodeJS.Signals): Promise<Server> {
  rotateLog(options.logFile);
  const log = openSync(options.logFile, "a", 0o600);
  try {
    const { uid, gid, relayLog = false } = options;
    const child = spawn(options.command, options.args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      detached: true,
      stdio: ["ignore", relayLog ? "pipe" : log, relayLog ? "pipe" : log],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => appendLog(options.logFile, chunk));
    }
    await once(child, "spawn");
    return toServer(child, signal);
  } finally {
    closeSync(log);
  }
}

function toServer(child: ChildProcess, signal: NodeJS.Signals): Server {
  let end: string | undefined;
  // "close" comes when its output was read, too: the end of the log tells why it ended.
  const ended = once(child, child.stdout === null ? "exit" : "close").then(([code, killer]) => {
    end = killer === null ? `exit code ${code}` : `signal ${killer}`;
    return end;
  });
  const stop = async () => {
    if (end !== undefined) return;
    child.kill(signal);
    const insist = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await ended;
    clearTimeout(insist);
  };
  const kill = () => void child.kill("SIGKILL");
  return { ...identify(child.pid ?? 0), signal, ended, end: () => end, kill, stop };
}

/** The environment of this process without PG*: these would lead a server to another database. */
export function environmentWithoutPg(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PG")));
}

/** The last lines of a log, for telling why its program ended. */
export function lastLines(file: string, count = 5): string {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.slice(-count).join("\n");
}
