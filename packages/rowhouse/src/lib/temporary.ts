import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Lets work use a folder that is thrown away when it ends, and when this process does: Ctrl-C
 * leaves no work the time to clean up.
 *
 * @param name What it is for: its name begins with "rowhouse-<name>-".
 */
export async function withTemporaryFolder<T>(
  name: string,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), `rowhouse-${name}-`));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(dir);
  } finally {
    remove();
    process.off("exit", remove);
  }
}
