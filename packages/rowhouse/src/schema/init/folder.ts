import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Lets a project be written into an empty folder: first whole into a draft inside of it, which then
 * becomes its content. Work that fails or is interrupted leaves nothing.
 *
 * @param work Gets the draft, and what to call as soon as it takes care of Ctrl-C itself.
 * @throws RowhouseError folder_not_empty
 */
export async function withDraftFolder<T>(
  target: string,
  work: (draft: string, takesSignals: () => void) => Promise<T>,
): Promise<T> {
  assertEmpty(target);
  const interrupt = () => process.exit(130);
  for (const signal of signals) process.on(signal, interrupt);
  const takesSignals = () => {
    for (const signal of signals) process.off(signal, interrupt);
  };
  const draft = mkdtempSync(join(target, ".rowhouse-init-"));
  const remove = () => {
    process.chdir(target);
    rmSync(draft, { recursive: true, force: true });
  };
  process.once("exit", remove);
  try {
    const result = await work(draft, takesSignals);
    assertEmpty(target, draft);
    for (const entry of readdirSync(draft)) renameSync(join(draft, entry), join(target, entry));
    return result;
  } finally {
    remove();
    takesSignals();
    process.off("exit", remove);
  }
}

function assertEmpty(target: string, draft?: string): void {
  const entries = readdirSync(target)
    .filter((name) => name !== ".git" && join(target, name) !== draft)
    .sort();
  if (entries.length === 0) return;
  const more = entries.length > 5 ? ` and ${entries.length - 5} more` : "";
  throw new RowhouseError(
    "folder_not_empty",
    `${target} is not empty: it holds ${entries.slice(0, 5).join(", ")}${more}.`,
    "Change to an empty folder. Nothing was written.",
  );
}

/** Writes files below a folder, by their paths from it. */
export function writeFiles(root: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
