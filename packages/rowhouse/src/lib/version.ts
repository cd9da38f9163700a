import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version of Rowhouse. */
export function version(): string {
  // From src/lib and from dist/lib alike.
  const file = join(import.meta.dirname, "../../package.json");
  return String(JSON.parse(readFileSync(file, "utf8")).version);
}
