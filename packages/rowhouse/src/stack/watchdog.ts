import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Server } from "./process.ts";

/** Tells the guard which servers run now. */
export type Guard = (servers: readonly Pick<Server, "signal" | "pid">[]) => void;

/**
 * Starts the process that ends the servers should this one be killed. It ends with this one.
 */
export function startGuard(): Guard {
  const guard = spawn("sh", [join(import.meta.dirname, "watchdog.sh")], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // If the guard was killed, the stack goes on without it; the next start ends what is left.
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return (servers) => {
    const words = servers.flatMap(({ signal, pid }) => [signal.replace("SIG", ""), String(pid)]);
    guard.stdin.write(`${words.join(" ")}\n`);
  };
}
