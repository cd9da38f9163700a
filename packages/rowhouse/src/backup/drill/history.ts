import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Home } from "../../stack/home.ts";
import type { Drill } from "./drill.ts";

const recordSchema = z.looseObject({
  database: z.string(),
  finishedAt: z.iso.datetime({ offset: true }),
  ok: z.boolean(),
});

/** A drill that a home knows of. */
export type DrillRecord = Pick<Drill, "database" | "finishedAt" | "ok">;

const getFile = (home: Home) => join(home.dir, "drill.json");

/** The last drill of each database whose backups a home holds, or held. */
export function lastDrills(home: Home): DrillRecord[] {
  try {
    return z.array(recordSchema).parse(JSON.parse(readFileSync(getFile(home), "utf8")));
  } catch {
    return []; // Not there, or damaged: as good as none.
  }
}

/** Records the result of a drill in the home. */
export function recordDrill(home: Home, report: Drill): void {
  const others = lastDrills(home).filter(({ database }) => database !== report.database);
  const file = getFile(home);
  const text = `${JSON.stringify([report, ...others], null, 2)}\n`;
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
