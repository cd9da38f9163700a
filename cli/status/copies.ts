import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readableBackups } from "../backup/places.ts";
import type { Home } from "../stack/home.ts";

const drill = z.object({ finishedAt: z.iso.datetime({ offset: true }), ok: z.boolean() });

/** The last drill that a home knows of. */
export type Drill = z.infer<typeof drill>;

/** When the newest backup in a home was finished, in ISO 8601; undefined when there is none. */
export function lastBackup(home: Home): string | undefined {
  return readableBackups(home)
    .map(({ manifest }) => manifest.finishedAt)
    .toSorted((one, other) => Date.parse(one) - Date.parse(other))
    .at(-1);
}

/** The last drill; undefined when there was none. */
export function lastDrill(home: Home): Drill | undefined {
  return readJson(join(home.dir, "drill.json"), drill);
}

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined; // Not there, or being written: as good as none.
  }
}
