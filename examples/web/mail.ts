import { mkdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";

/**
 * Prints the links of mails as they come: while developing, the sign-in service keeps them in the
 * home instead of sending them.
 *
 * @returns What ends it.
 */
export function printMail(home: string, print: (line: string) => void): () => void {
  const dir = join(home, "mail");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const printed = new Set<string>();
  const watcher = watch(dir, (_, name) => {
    if (name === null || printed.has(name)) return;
    const text = read(join(dir, name));
    const [, to, subject] = /^To: (.*)\nSubject: (.*)\n/.exec(text) ?? [];
    // Not written to its end: it is looked at again then.
    if (to === undefined || !text.endsWith("\n")) return;
    printed.add(name);
    const link = /^http\S+$/m.exec(text)?.[0];
    print(`Mail for ${to}: ${subject}${link === undefined ? "" : `\n  ${link}`}`);
  });
  return () => watcher.close();
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // Deleted meanwhile.
  }
}
