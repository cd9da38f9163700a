import { appendFileSync, copyFileSync, statSync, truncateSync } from "node:fs";

/** From how many bytes on a log is put aside: one such is kept beside it. */
const mostBytes = 10_000_000;

/**
 * Puts a log that has grown large aside, as `<file>.1`. The server that writes it goes on: it appends,
 * so that what it writes next is at the beginning. Between the copy and the cut a line can be lost.
 */
export function rotateLog(file: string, limit = mostBytes): void {
  try {
    if (statSync(file).size <= limit) return;
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
  } catch {
    // Not there yet, or a full disk: nothing is lost, and the next time is soon. No server must end for it.
  }
}

/**
 * Keeps logs from growing without end, for as long as they are written to.
 *
 * @returns What ends it.
 */
export function rotateLogs(files: () => readonly string[], everyMs = 60_000): () => void {
  const timer = setInterval(() => {
    for (const file of files()) rotateLog(file);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Appends to a log what a server has printed; what a full disk does not take is dropped. */
export function appendLog(file: string, text: Uint8Array): void {
  try {
    appendFileSync(file, text, { mode: 0o600 });
  } catch {
    // The server's answers matter more than its log.
  }
}
