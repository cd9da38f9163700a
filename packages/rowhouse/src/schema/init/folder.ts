import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";

/**
 * Lets a project be written into an empty folder: first whole into a draft inside of it, which then
 * becomes its content. Work that fails or is interrupted leaves nothing.
 *
 * @throws RowhouseError folder_not_empty
 */
export async function withDraftFolder<T>(
  target: string,
  work: (draft: string) => Promise<T>,
): Promise<T> {
  assertEmpty(target);
  const draft = mkdtempSync(join(target, ".rowhouse-init-"));
  const remove = () => {
    process.chdir(target);
    rmSync(draft, { recursive: true, force: true });
  };
  process.once("exit", remove);
  try {
    const result = await work(draft);
    assertEmpty(target, draft);
    for (const entry of readdirSync(draft)) renameSync(join(draft, entry), join(target, entry));
    return result;
  } finally {
    remove();
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
