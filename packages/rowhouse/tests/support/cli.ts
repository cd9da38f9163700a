import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { type Variables, withoutOwnStack } from "./environment.ts";
import { stackPort } from "./ports.ts";
import { listChildren } from "./processes.ts";
import { projectRoot, rowhouseCommand } from "./project.ts";

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home with a migrated database, on which no stack has run yet; it ends with the test. */
export function readyHome(): string {
  const home = newHome();
  cpSync(inject("home"), home, { recursive: true });
  return home;
}

/** A home that is not made yet; it ends with the test. */
export function newHome(): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-home-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "home");
}

/**
 * Runs `rowhouse` with arguments to its end.
 *
 * @param project The project that it works on: this one, or a copy.
 */
export async function rowhouse(
  args: readonly string[],
  env: Variables,
  project = projectRoot,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: environment(env), cwd: project };
    execFile(process.execPath, [rowhouseCommand, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** A stack that was started by the command, as a user does. */
export interface RunningStack {
  readonly url: string;
  readonly home: string;
  readonly env: Variables;
  readonly process: ChildProcess;
  /** All that it has printed so far, both streams. */
  readonly output: () => string;
  /** Resolves when the output has a line like this; fails with the output when none comes. */
  readonly prints: (pattern: RegExp) => Promise<void>;
  /** Process ids of its servers, by program. */
  readonly servers: () => Record<string, number>;
  /** That of one of them; fails where it does not run: a signal to 0 would end the tests themselves. */
  readonly pid: (program: string) => number;
  /** Resolves when a server of that program runs. */
  readonly runs: (program: string) => Promise<void>;
  /** Resolves when the API answers; fails when it does not within 20 s. */
  readonly serves: () => Promise<void>;
  /** The exit code, when it has ended. */
  readonly ended: Promise<number | null>;
  /** Sends a signal to the stack and resolves with its exit code when it is gone. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/**
 * Starts a stack and waits until it is ready; it ends with the test.
 *
 * @param command "dev" for one that follows the files of its project.
 */
export async function startStack(
  env: Variables = {},
  command: "start" | "dev" = "start",
  project = projectRoot,
): Promise<RunningStack> {
  const stack = await launchStack(env, command, project);
  await stack.prints(/^Rowhouse is ready: /m);
  return stack;
}

/** Starts a stack and does not wait. */
export async function launchStack(
  env: Variables = {},
  command: "start" | "dev" = "start",
  project = projectRoot,
): Promise<RunningStack> {
  const home = env.ROWHOUSE_HOME ?? readyHome();
  const port = env.API_PORT ?? (await stackPort());
  const variables = { ...env, ROWHOUSE_HOME: home, API_PORT: port };
  const child = spawn(process.execPath, [rowhouseCommand, command], {
    env: environment(variables),
    cwd: project,
  });
  const stack = watch(child, { home, env: variables, url: `http://127.0.0.1:${port}` });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await stack.end();
  });
  return stack;
}

/** Watches a process that runs a stack. */
export function watch(
  child: ChildProcess,
  { home, env, url }: Pick<RunningStack, "home" | "env" | "url">,
): RunningStack {
  let output = "";
  const append = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout?.on("data", append);
  child.stderr?.on("data", append);
  const ended = once(child, "exit").then(([code]) => code);
  const servers = () => listChildren(child.pid ?? 0);
  return {
    url,
    home,
    env,
    process: child,
    output: () => output,
    prints: async (pattern) => {
      const gone = () => child.exitCode !== null || child.signalCode !== null;
      const printed = () => (pattern.test(output) ? true : gone() ? false : undefined);
      if (!(await waitFor(printed, 10, 20_000)) && !pattern.test(output)) {
        throw new Error(`Nothing like ${pattern} was printed, but:\n${output}`);
      }
    },
    servers,
    pid: (program) => {
      const pid = servers()[program];
      if (pid === undefined) throw new Error(`No ${program} runs:\n${output}`);
      return pid;
    },
    ended,
    runs: (program) => eventually(() => servers()[program] !== undefined, `${program} runs`),
    serves: () => eventually(() => answers(url), `${url} answers`),
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
  };
}

/** Resolves when a condition holds; fails when it does not within 20 s. */
async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const held = await waitFor(async () => ((await holds()) ? true : undefined), 10, 20_000);
  if (!held) throw new Error(`It did not come true within 20 s that ${what}.`);
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // No process listens.
  }
}

/** The environment of a command under test. */
function environment(variables: Variables): NodeJS.ProcessEnv {
  // The server under test is at hand, and another one takes a second to start.
  return withoutOwnStack({ SCRATCH_URL: inject("serverUrl"), ...variables });
}
