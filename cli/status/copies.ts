import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const manifest = z.object({ finishedAt: z.iso.datetime({ offset: true }) });
const drill = manifest.extend({ ok: z.boolean() });

/** The last drill that a home knows of. */
export type Drill = z.infer<typeof drill>;

/** When the newest backup in a home was finished, in ISO 8601; undefined when there is none. */
export function lastBackup(homeDir: string): string | undefined {
  const dir = join(homeDir, "backups");
  if (!existsSync(dir)) return undefined;
  return readdirSync(dir)
    .map((name) => readJson(join(dir, name, "manifest.json"), manifest)?.finishedAt)
    .filter((at) => at !== undefined)
    .toSorted((one, other) => Date.parse(one) - Date.parse(other))
    .at(-1);
}

/** The last drill; undefined when there was none. */
export function lastDrill(homeDir: string): Drill | undefined {
  return readJson(join(homeDir, "drill.json"), drill);
}

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined; // Not there, or being written: as good as none.
  }
}
