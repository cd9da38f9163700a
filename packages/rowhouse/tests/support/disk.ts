import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Mounts a small disk; it goes with the test. */
export function smallDisk(dir: string, size: string): void {
  mkdirSync(dir, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "rowhouse-test", dir]);
  onTestFinished(() => {
    execFileSync("umount", [dir]);
  });
}

/** Whether this user may mount, as root may outside of a container. */
export function mayMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"], {
      stdio: "ignore",
    });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** Takes all the space that a disk has left; returns what gives it back. */
export function fillDisk(dir: string): () => void {
  const file = join(dir, "balloon");
  const balloon = openSync(file, "w");
  try {
    for (;;) writeSync(balloon, Buffer.alloc(4096));
  } catch {
    return () => rmSync(file);
  } finally {
    closeSync(balloon);
  }
}
