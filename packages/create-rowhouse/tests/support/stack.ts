import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect } from "vitest";
import { shell, timed, userEnvironment, type Variables } from "./run.ts";

/**
 * Starts a project's stack with a line of shell, sends the request that it prints, ends it as
 * Ctrl-C does, and finds that no process is left.
 *
 * @param line Like "npm install && npm start".
 */
export async function startAndStop(
  line: string,
  project: string,
  variables: Variables = {},
): Promise<void> {
  const env = {
    ...variables,
    API_PORT: String(await freePort()),
    AUTH_PORT: String(await freePort()),
  };
  // In a process group of its own, as a shell starts it: Ctrl-C goes to all of the group.
  const child = spawn("bash", ["-c", line], {
    cwd: project,
    env: userEnvironment(env),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  const output = collect(child);
  try {
    await timed(line, () => output.matches(/^Rowhouse is ready: /m));
    const [, request = ""] = /^ *Try it: +(curl .*)$/m.exec(output.text()) ?? [];
    expect(request, output.text()).not.toBe("");
    // -f, since curl exits with 0 whatever the API answers.
    await shell(request.replace(/^curl /, "curl -f "), project, env);
  } finally {
    interrupt(child);
    await ended;
  }
  expect(output.text()).toContain("Rowhouse has stopped.");
  expect(processesOf(project)).toEqual([]);
}

/** Sends what Ctrl-C sends, to the whole process group. */
function interrupt({ pid, exitCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null) return;
  process.kill(-pid, "SIGINT");
}

/** What a process prints, both streams, and a way to wait for a part of it. */
function collect(child: ChildProcess) {
  let text = "";
  const append = (chunk: Buffer) => {
    text += chunk;
  };
  child.stdout?.on("data", append);
  child.stderr?.on("data", append);
  return {
    text: () => text,
    matches: (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => pattern.test(text) && resolve();
        child.stdout?.on("data", look);
        child.once("close", () => reject(new Error(`It ended without ${pattern}:\n${text}`)));
        look();
      }),
  };
}

/** The command lines of the processes that work in a folder or name it. */
export function processesOf(dir: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(dir));
}

/** The command line and the environment of a process; empty when it has ended in the meantime. */
function commandLine(pid: string): string {
  try {
    const parts = ["cmdline", "environ"].map((file) =>
      readFileSync(`/proc/${pid}/${file}`, "utf8"),
    );
    return parts.join(" ").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** A port that is free at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
