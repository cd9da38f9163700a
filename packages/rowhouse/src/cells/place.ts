import { errorMessage, RowhouseError } from "../lib/errors.ts";
import type { CellEdge } from "./edge.ts";
import { type Place, writePlace } from "./map.ts";

/** Where a user's place is written: the map file, and the memory of each edge. */
export interface Places {
  readonly file: string;
  readonly edges: readonly CellEdge[];
  readonly sub: string;
  /** The cell of the user's bucket. */
  readonly home: Place["home"];
}

/**
 * Says everywhere that a user's rows are in a cell, and refuses their writes. The file comes first:
 * whoever finds it there knows where the rows are, also an edge that starts.
 *
 * @throws RowhouseError edge_failed, when all others were written to; map_invalid, file_unusable
 */
export async function holdIn({ file, edges, sub }: Places, cell: string): Promise<void> {
  const value = `${cell}:moving`;
  await writePlace(file, sub, value);
  await setInEdges(edges, sub, value);
}

/**
 * Lets a user write again, in the cell that holdIn() named. The file comes last: until it is written
 * the next move knows that this one has not ended.
 *
 * @param between What else has to be done before the move counts as ended.
 * @throws RowhouseError edge_failed, when all others were written to; map_invalid, file_unusable
 */
export async function releaseIn(
  { file, edges, sub, home }: Places,
  cell: string,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  const value = cell === home ? undefined : cell;
  await setInEdges(edges, sub, value);
  await between();
  await writePlace(file, sub, value);
}

async function setInEdges(edges: readonly CellEdge[], sub: string, value: string | undefined) {
  const results = await Promise.allSettled(edges.map((edge) => edge.setPlace(sub, value)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** A place that could not be written where it has to be. */
export function notReleased(file: string, error: unknown): RowhouseError {
  return new RowhouseError(
    "move_unfinished",
    `The move could be neither ended nor taken back: ${errorMessage(error)} No row is lost, and the user's writes may be refused.`,
    `Run the command again, when ${file} can be written and the edge answers.`,
    { cause: error },
  );
}
