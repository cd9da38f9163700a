import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { findCaller } from "../access/model/caller.ts";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { openProject } from "../lib/project.ts";
import { waitFor } from "../lib/wait.ts";
import { readApiNames } from "../stack/api-names.ts";
import { withClient } from "../stack/database.ts";
import { openEdge } from "./edge.ts";
import { assertHangs, type Graph, readGraph, usersTable } from "./graph.ts";
import { findPlace, type Place, writePlace } from "./map.ts";
import { holdIn, notReleased, type Places, releaseIn } from "./place.ts";
import {
  assertAlike,
  assertApart,
  carryRows,
  countRows,
  deleteRows,
  evenSession,
  findDifference,
  lockUser,
  type TableCount,
} from "./rows.ts";

/** What comes next, in this order. */
export type Step = "hold" | "drain" | "copy" | "keep" | "switch" | "delete";

/** Whom to move, and where. */
export interface Move {
  /** An email address, or a user's id. */
  readonly user: string;
  /** The `sub` of the user's tokens where it is no UUID, and their `iss`. */
  readonly sub?: string | undefined;
  readonly iss: string;
  /** The databases, as roles that see and write every row. */
  readonly from: string;
  readonly to: string;
  /** What the map calls the cell that they move to. */
  readonly cell: string;
  readonly map: string;
  /** The sockets of the edges. */
  readonly sockets: readonly string[];
  readonly dryRun: boolean;
  /** Takes the move back, as long as the map is not switched. */
  readonly signal?: AbortSignal;
  /** Called before each step. */
  readonly onStep?: (step: Step) => unknown;
}

/** What was moved, or would be. */
export interface Moved {
  readonly user: string;
  /** Like `to` where a move that was killed is ended: the map was switched already. */
  readonly from: string;
  readonly to: string;
  readonly moved: boolean;
  readonly tables: readonly TableCount[];
}

interface Plan {
  readonly id: string;
  readonly sub: string;
  readonly place: Place;
  readonly graph: Graph;
  readonly tables: readonly TableCount[];
}

/**
 * Moves a user's rows to another cell. While it lasts, their writes are refused with 503, and reads go on.
 *
 * @throws RowhouseError user_unknown, user_ambiguous, rows_hidden, map_invalid, file_unusable,
 *   edge_failed and move_refused before anything is changed; move_failed when it was taken back;
 *   move_unfinished when that failed, too
 */
export async function moveUser(move: Move): Promise<Moved> {
  return withClient(move.from, (source) =>
    withClient(move.to, async (target) => {
      const plan = await prepare(source, target, move).catch(toHidden);
      const { id, sub, place } = plan;
      const moved = { user: id, from: place.cell, to: move.cell };
      const open = (socket: string) => openEdge(socket, move.map, move.cell);
      const edges = await Promise.all(move.sockets.map(open));
      await Promise.all(edges.map((edge) => edge.assertAgrees(sub, place)));
      if (move.dryRun) return { ...moved, moved: false, tables: plan.tables };
      const places = { file: move.map, edges, sub, home: place.home };
      const perform = place.cell === move.cell ? endMove : carryOut;
      return { ...moved, moved: true, tables: await perform(source, target, move, plan, places) };
    }),
  );
}

/** All that can be refused, before anything is changed. */
async function prepare(source: pg.Client, target: pg.Client, move: Move): Promise<Plan> {
  const { id, schemas, missing } = await findUser(source, target, move);
  const sub = await findSub(source, move, id);
  for (const client of [source, target]) await lockMove(client, id);
  const place = findPlace(move.map, sub);
  if (place.cell === move.cell && !place.moving) {
    throw refusal(`The user is in cell ${move.cell} already.`, "Correct --cell, or --map.");
  }
  if (place.cell !== move.cell && missing !== undefined) throw missing;
  await begin(source);
  await begin(target);
  await assertWritable(source, "--from");
  await assertWritable(target, "--to");
  const graph = await readGraph(source);
  assertAlike(graph, await readGraph(target));
  const there = await countRows(target, graph, id);
  let tables = there;
  if (place.cell !== move.cell) {
    await assertApart(source, graph, id);
    await assertHangs(source, graph, schemas, id);
    tables = await countRows(source, graph, id);
    assertFree(place, there);
  }
  await Promise.all([source.query("rollback"), target.query("rollback")]);
  return { id, sub, place, graph, tables };
}

interface Found {
  readonly id: string;
  /** The exposed schemas. */
  readonly schemas: readonly string[];
  /** Why they are not in the source. */
  readonly missing?: RowhouseError;
}

/** In the source; or, where a move was killed just before its end, in the target alone. */
async function findUser(source: pg.Client, target: pg.Client, move: Move): Promise<Found> {
  try {
    return await findUserIn(source, move);
  } catch (error) {
    if (!(error instanceof RowhouseError) || error.code !== "user_unknown") throw error;
    const found = await findUserIn(target, move).catch(() => {
      throw error;
    });
    return { ...found, missing: error };
  }
}

async function findUserIn(client: pg.Client, { user }: Move): Promise<Found> {
  const names = await readApiNames(client, openProject());
  if ((names.usersTable ?? usersTable) !== usersTable) {
    throw refusal(
      `Rows are found by foreign keys from ${usersTable}, and the users are in ${names.usersTable}.`,
      "Move them by hand.",
    );
  }
  const { id } = await findCaller(client, names, user);
  if (id === null) throw refusal("anonymous is no user.", "Name one by an email address or id.");
  return { id, schemas: names.schemas };
}

async function assertWritable(client: pg.Client, option: string): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>(
    "show transaction_read_only",
  );
  if (rows[0]?.transaction_read_only === "off") return;
  throw refusal(`The database of ${option} takes no writes.`, "Name the primary, not a replica.");
}

/** Where a move was interrupted, rows there are its copy. The users' table alone: sign-in made that row. */
function assertFree(place: Place, there: readonly TableCount[]): void {
  const taken = there.find(({ table, rows }) => rows > 0 && table !== usersTable);
  if (taken === undefined || place.moving) return;
  throw refusal(
    `The other cell has ${taken.rows} rows of the user in ${taken.table}.`,
    "Correct --to; or, when they are left from a move that failed, delete them there.",
  );
}

/** The name of the user in their tokens, which the edge goes by. */
async function findSub(source: pg.Client, { sub, iss }: Move, id: string): Promise<string> {
  const isHash = /^.{14}8/.test(id);
  if (sub === undefined && !isHash) return id;
  if (sub === undefined) {
    throw refusal(
      "The user's id was made from what the provider calls them.",
      "Give that, the sub of their tokens, with --sub.",
    );
  }
  const { rows } = await source.query<{ id: string }>("select request.user_id_for($1, $2) as id", [
    iss,
    sub,
  ]);
  const isTheirs = sub.toLowerCase() === id || rows[0]?.id === id;
  if (isTheirs && /^[\x21-\x7e]{1,250}$/.test(sub)) return sub.toLowerCase() === id ? id : sub;
  throw refusal(
    `Tokens with that --sub, of the issuer ${iss}, are not this user's, or it cannot be a line of the map.`,
    "Correct --sub, or JWT_ISS.",
  );
}

/** One move of a user at a time; held until the connection ends. */
async function lockMove(client: pg.Client, id: string): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>(
    "select pg_try_advisory_lock(hashtextextended('rowhouse cells move ' || $1, 0)) as locked",
    [id],
  );
  if (rows[0]?.locked) return;
  throw refusal(
    "Another command moves this user, or --from and --to are one database.",
    "Wait for it, or correct the URLs.",
  );
}

/** The user waits for a commit, which hangs where a synchronous replica is away. */
const commitMs = 30_000;

async function carryOut(
  source: pg.Client,
  target: pg.Client,
  move: Move,
  { id, sub, place, graph }: Plan,
  places: Places,
): Promise<readonly TableCount[]> {
  const step = async (name: Step) => {
    if (name !== "delete") move.signal?.throwIfAborted();
    await move.onStep?.(name);
  };
  let [kept, switched] = [false, false];
  let copied: readonly TableCount[];
  await step("hold");
  await writePlace(places.file, sub, `${place.cell}:moving`);
  try {
    await holdIn(places, place.cell);
    await step("drain");
    await Promise.all(places.edges.map((edge) => edge.drain(sub)));
    await step("copy");
    await Promise.all([begin(source), begin(target)]);
    await lockUser(source, id);
    await assertApart(source, graph, id);
    await deleteRows(target, graph, id);
    copied = await carryRows(source, target, graph, id, move.signal);
    await step("keep");
    kept = true;
    await commit(target);
    await step("switch");
    switched = true;
    await holdIn(places, move.cell);
  } catch (error) {
    await rollBack(source, target);
    let left = false;
    try {
      if (switched) await holdIn(places, place.cell);
      await releaseIn(places, place.cell, async () => {
        left = kept && !(await clear(move.to, graph, id));
      });
    } catch (again) {
      throw notReleased(places.file, again);
    }
    throw takenBack(error, place.cell, left ? move.cell : undefined);
  }
  // The map says that the other cell counts: there is no way back, and what is left here is a copy.
  let fault: unknown;
  try {
    await step("delete");
    await Promise.all(places.edges.map((edge) => edge.drainReads(sub, place.cell)));
    await commit(source);
  } catch (error) {
    fault = error;
    disconnect(source);
  }
  await release(places, move.cell);
  if (fault !== undefined && !(await clear(move.from, graph, id)))
    throw leftBehind(fault, move.cell, id);
  return copied;
}

async function commit(client: pg.Client): Promise<void> {
  const done = client.query("commit").then(() => true);
  if (await Promise.race([done, delay(commitMs, false, { ref: false })])) return;
  disconnect(client);
  throw new Error(`no answer to a commit within ${commitMs / 1000} s`);
}

/** What the connection has not committed is rolled back, unless its server hangs. */
function disconnect(client: pg.Client): void {
  void client.end().catch(() => {});
}

/** Ends a move that was killed when the map was switched, or when it was taken back to the cell it now goes to. */
async function endMove(
  source: pg.Client,
  target: pg.Client,
  move: Move,
  { id, sub, graph, tables }: Plan,
  places: Places,
): Promise<readonly TableCount[]> {
  await move.onStep?.("hold");
  await holdIn(places, move.cell).catch((error) => {
    throw notReleased(places.file, error);
  });
  let fault: unknown;
  try {
    await move.onStep?.("drain");
    await Promise.all(places.edges.map((edge) => edge.drain(sub)));
    await move.onStep?.("delete");
    await deleteCopy(source, target, graph, id);
  } catch (error) {
    fault = error;
  }
  await rollBack(source, target);
  await release(places, move.cell);
  if (fault !== undefined) throw leftBehind(fault, move.cell, id);
  return tables;
}

/** Deletes a user's rows in the source when the target has the same. */
async function deleteCopy(
  source: pg.Client,
  target: pg.Client,
  graph: Graph,
  id: string,
): Promise<void> {
  await Promise.all([begin(source), begin(target)]);
  await lockUser(source, id);
  const left = await countRows(source, graph, id);
  // The users' table alone: sign-in made that row.
  if (left.every(({ table, rows }) => rows === 0 || table === usersTable)) return;
  const other = await findDifference(source, target, graph, id);
  if (other !== undefined)
    throw new Error(`the rows of ${other} differ from those in the database of --to`);
  await deleteRows(source, graph, id);
  await source.query("commit");
}

async function release(places: Places, cell: string): Promise<void> {
  await releaseIn(places, cell).catch((error) => {
    throw notReleased(places.file, error);
  });
}

async function begin(client: pg.Client): Promise<void> {
  await client.query(`begin; ${evenSession}`);
}

/** Where the connection is gone, the server has rolled back by itself. */
async function rollBack(...clients: pg.Client[]): Promise<void> {
  await Promise.allSettled(clients.map((client) => client.query("rollback")));
}

/** Deletes a copy that nobody is sent to, on a new connection; false when that fails for 10 s. */
async function clear(url: string, graph: Graph, id: string): Promise<boolean> {
  const attempt = () =>
    withClient(url, async (client) => {
      await begin(client);
      await deleteRows(client, graph, id);
      await client.query("commit");
      return true;
    }).catch(() => undefined);
  return (await waitFor(attempt, 250, 10_000)) ?? false;
}

/** The session wants an error rather than rows that a policy leaves out. */
function toHidden(error: unknown): never {
  if (errorCode(error) !== "42501") throw error;
  throw new RowhouseError(
    "rows_hidden",
    `The role in --from or --to may not read every row: ${errorMessage(error)}.`,
    "Use a role with BYPASSRLS that may read and write every table, or a superuser.",
    { cause: error },
  );
}

function refusal(message: string, remedy: string): RowhouseError {
  return new RowhouseError("move_refused", message, remedy);
}

function takenBack(error: unknown, cell: string, left: string | undefined): RowhouseError {
  const copy = left === undefined ? "" : ` A copy is left in ${left}, and nobody is sent to it.`;
  return new RowhouseError(
    "move_failed",
    `The move failed and was taken back: ${errorMessage(error)} The user is in ${cell}, with all rows.${copy}`,
    `${left === undefined ? "" : "Delete that copy. "}${error instanceof RowhouseError ? error.remedy : "Try again when the reason is gone."}`,
    { cause: error },
  );
}

function leftBehind(error: unknown, cell: string, id: string): RowhouseError {
  return new RowhouseError(
    "move_unfinished",
    `The user is in ${cell}, with all rows, but those in the database of --from could not be deleted: ${errorMessage(error)}.`,
    `Delete them there, where nobody is sent to: the rows of ${id}.`,
    { cause: error },
  );
}
