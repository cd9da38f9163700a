import { errorMessage, RowhouseError } from "../lib/errors.ts";
import type { CellEdge } from "./edge.ts";
import { writePlace } from "./map.ts";

/** Where a user's place is written: the map file, and the memory of each edge. */
export interface Places {
  readonly file: string;
  readonly edges: readonly CellEdge[];
  readonly sub: string;
}

/**
 * Writes a user's place everywhere: first into the file, which an edge reads when it starts.
 *
 * @param value Like "b" or "a:moving"; without one, the user's bucket counts.
 * @throws RowhouseError edge_failed, when all others were written to; map_invalid, file_unusable
 */
export async function setPlace(
  { file, edges, sub }: Places,
  value: string | undefined,
): Promise<void> {
  writePlace(file, sub, value);
  const results = await Promise.allSettled(edges.map((edge) => edge.setPlace(sub, value)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** A place that could not be set back. */
export function notSetBack(value: string, file: string, error: unknown): RowhouseError {
  return new RowhouseError(
    "move_unfinished",
    `An edge did not take the user's place back: ${errorMessage(error)} ${file} has ${value} again, which counts, and all rows are in that cell.`,
    "Restart the edge, which then reads the file, before anything else. The other cell may hold a copy of the rows.",
    { cause: error },
  );
}
