import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Server } from "./process.ts";

/** Tells the watchdog which servers run now. */
export type Watchdog = (servers: readonly Pick<Server, "signal" | "pid">[]) => void;

/**
 * Starts the process that ends the servers should this one be killed. It ends with this one.
 *
 * @param folder What it then removes: the data of servers that are thrown away.
 */
export function startWatchdog(folder = ""): Watchdog {
  const watchdog = spawn("sh", [join(import.meta.dirname, "watchdog.sh"), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // If the watchdog was killed, the stack continues without it; the next start stops what is left.
  watchdog.on("error", () => {});
  watchdog.stdin.on("error", () => {});
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  return (servers) => {
    const words = servers.flatMap(({ signal, pid }) => [signal.replace("SIG", ""), String(pid)]);
    watchdog.stdin.write(`${words.join(" ")}\n`);
  };
}
