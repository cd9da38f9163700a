import { appendFileSync, mkdirSync, readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { errorMessage } from "../lib/errors.ts";

/**
 * Reports each mail that the sign-in service keeps in a folder from now on, with its link: in
 * development nobody else brings it.
 *
 * @param dir Made when it is missing.
 * @returns Ends it.
 */
export function watchMail(dir: string, report: (line: string) => void): () => void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const seen = new Set(listMails(dir));
  const look = () => {
    for (const name of listMails(dir)) {
      if (seen.has(name)) continue;
      seen.add(name);
      for (const line of describeMail(readFileSync(join(dir, name), "utf8"))) report(line);
    }
  };
  return follow(dir, look, report);
}

/**
 * Reports from now on why the sign-in service cannot send mail: whoever waits for a link sees nothing
 * of it.
 *
 * @param logFile Of the service; made when it is missing.
 * @returns Ends it.
 */
export function watchMailFaults(logFile: string, report: (line: string) => void): () => void {
  appendFileSync(logFile, "", { mode: 0o600 });
  let read = readLog(logFile).length;
  let last = "";
  const look = () => {
    const added = readLog(logFile).subarray(read).toString();
    const lines = added.slice(0, added.lastIndexOf("\n") + 1);
    read += Buffer.byteLength(lines);
    for (const [fault] of lines.matchAll(/cannot send mail by SMTP_URL: .*/g)) {
      if (fault !== last) report(`Sign-in ${fault}`);
      last = fault;
    }
  };
  return follow(logFile, look, report);
}

/** Without a watch (a machine gives out only so many) the stack serves all the same, and what would be reported is in the path. */
function follow(path: string, look: () => void, report: (line: string) => void): () => void {
  const giveUp = (error: unknown) => report(`Cannot watch ${path}: ${errorMessage(error)}.`);
  try {
    const watcher = watch(path, look).on("error", giveUp);
    return () => watcher.close();
  } catch (error) {
    giveUp(error);
    return () => {};
  }
}

function readLog(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.of(); // Somebody has removed it.
  }
}

/** The oldest first: names begin with the time. */
function listMails(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith(".txt") && !name.startsWith("."))
      .sort();
  } catch {
    return []; // Somebody has removed the folder.
  }
}

function describeMail(text: string): string[] {
  const find = (pattern: RegExp) => pattern.exec(text)?.[1];
  const link = find(/^(https?:\/\/\S+)$/m);
  return [
    `Mail for ${find(/^To: (.*)$/m)}: ${find(/^Subject: (.*)$/m)}`,
    ...(link === undefined ? [] : [`  ${link}`]),
  ];
}
