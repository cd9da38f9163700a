import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { log } from "../log.ts";
import type { Message } from "./messages.ts";

/**
 * Development: prints where a mail would have gone, with its link, and keeps its text in a folder.
 *
 * @param dir The folder, made when it is missing; undefined keeps nothing.
 */
export function keepMail(dir: string | undefined, to: string, message: Message): void {
  const { subject, text, link } = message;
  log(`mail for ${to}: ${subject}${link === undefined ? "" : `\n  ${link}`}`);
  if (dir === undefined) return;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const name = `${new Date().toISOString().replaceAll(":", "-")}-${to.replaceAll(/[^\w.@+-]/g, "_")}.txt`;
  // By rename: whoever watches the folder never reads half a mail.
  const draft = join(dir, `.${name}`);
  writeFileSync(draft, `To: ${to}\nSubject: ${subject}\n\n${text}\n`, { mode: 0o600 });
  renameSync(draft, join(dir, name));
}
