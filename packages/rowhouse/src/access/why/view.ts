import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorCode, errorMessage } from "../../lib/errors.ts";
import { readableName } from "../../lib/readable-name.ts";
import { actAs } from "../model/caller.ts";
import { useSearchPath } from "../model/evaluate.ts";
import { quoteName, sqlName } from "../model/names.ts";
import type { Access } from "../model/policy-check.ts";
import { formatObstacle } from "../model/session.ts";
import { type Decision, failure, missingGrant } from "./decide.ts";
import type { Question } from "./question.ts";
import { assertFits, assertOwned, nameColumns, type Scene, splitId } from "./rows.ts";

/** What is known of a view, and the values by which its row was named. */
export interface ViewDecision extends Decision {
  readonly row: Readonly<Record<string, unknown>> | null;
}

/**
 * Decides about a view. Its rows are those of a query over other tables, whose policies apply to its owner or to
 * the caller: a select is tried, as the caller; what a write comes to is not followed.
 *
 * @throws RowhouseError row_unknown
 */
export async function decideView(
  scene: Scene,
  access: Access,
  question: Question,
): Promise<ViewDecision> {
  const { relation } = scene;
  const { verb, row, id } = question;
  const missing = missingGrant(relation, access, Object.keys(row ?? {}));
  if (missing !== null) return { verdict: "no", reason: missing, row: null };
  if (verb !== "select") return { ...unknown(writeReason), row: null };
  if (id === null) return { ...(await decideReading(scene, access)), row: null };
  const columns = [...nameColumns(relation)];
  const values = [...splitId(id, columns, relation.fullName)];
  if (question.owner !== null) {
    columns.push(assertOwned(relation));
    values.push(question.owner);
  }
  await assertFits(scene.client, relation, columns, values);
  const unreadable = missingGrant(relation, access, columns);
  const named = Object.fromEntries(columns.map((name, index) => [name, values[index]]));
  if (unreadable !== null) return { verdict: "no", reason: unreadable, row: named };
  return { ...(await trySelect(scene, access, columns, values)), row: named };
}

const viewPolicies = readFileSync(join(import.meta.dirname, "view_policies.sql"), "utf8");

/** What a view shows where no row is named: it depends on the row where policies count behind it. */
async function decideReading(scene: Scene, access: Access): Promise<Decision> {
  const { client, relation } = scene;
  const reason = "it depends on the row, and none was named.";
  if (relation.asksAsInvoker) return { verdict: "depends", reason };
  const { rows } = await client.query<{ owner: string; table: string; past: boolean }>(
    viewPolicies,
    [sqlName(relation)],
  );
  const past = describePast(rows.filter((row) => row.past));
  if (rows.some((row) => !row.past)) return { verdict: "depends", reason: `${reason}${past}` };
  const fault = await tryPlan(scene, access);
  if (fault !== null) return fault;
  const shown = "it shows every row that its query finds, since no policy counts behind it";
  return { verdict: "yes", reason: `${shown}, and it is granted.${past}` };
}

/** By whose rights a view reads past policies, in a sentence; nothing where it does not. */
function describePast(rows: readonly { readonly owner: string; readonly table: string }[]): string {
  if (rows.length === 0) return "";
  const owners = [...new Set(rows.map(({ owner }) => owner))].join(", ");
  const tables = [...new Set(rows.map(({ table }) => table))].join(", ");
  return ` The view reads with the rights of its owner (${owners}), past the policies of ${tables}; with security_invoker = true it would read with the caller's.`;
}

/** Why a view cannot be read at all: what it calls, the caller has to be allowed to call. Null when it can. */
async function tryPlan(scene: Scene, access: Access): Promise<Decision | null> {
  const { relation, rights } = scene;
  if (rights !== null) {
    const obstacle = rights.judgeView(relation);
    return obstacle === null ? null : unknown(`it calls what the caller may not, and ${obstacle}.`);
  }
  return asCaller(scene, async (client) => {
    await client.query(`explain ${selectFrom(scene, access)}`);
    return null;
  });
}

const writeReason =
  "it is a view: a write goes to the tables behind it, which is not followed. Ask about those.";

function unknown(reason: string): Decision {
  return { verdict: "unknown", reason };
}

async function trySelect(
  scene: Scene,
  access: Access,
  columns: readonly string[],
  values: readonly string[],
): Promise<Decision> {
  if (scene.rights !== null)
    return unknown(`it is a view, and ${formatObstacle(scene.rights.obstacle)}.`);
  const conditions = columns.map((name, index) => `${quoteName(name)} = $${index + 1}`);
  return asCaller(scene, async (client) => {
    // What is computed of the row can fail, too.
    const text = `${selectFrom(scene, access)} where ${conditions.join(" and ")} limit 1`;
    const { rowCount } = await client.query(text, [...values]);
    return rowCount === 1
      ? { verdict: "yes", reason: "the view shows it, and it is granted." }
      : {
          verdict: "no",
          reason: `the view shows no row with ${describe(columns, values)}: none is there, or it is hidden.`,
        };
  });
}

function selectFrom({ relation }: Scene, { columns }: Access): string {
  return `select ${(columns ?? []).map(quoteName).join(", ")} from ${sqlName(relation)}`;
}

/** Works as the caller. An error decides, too. */
async function asCaller<T>(
  { client, relation, caller }: Scene,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T | Decision> {
  await client.query("savepoint view; set local lock_timeout = '1s'");
  try {
    await useSearchPath(client, relation, caller.role);
    await actAs(client, caller, true);
    return await work(client);
  } catch (error) {
    return decideError(error);
  } finally {
    await client.query("rollback to savepoint view");
  }
}

function describe(columns: readonly string[], values: readonly string[]): string {
  return columns.map((name, index) => `${readableName(name)} ${values[index]}`).join(" and ");
}

/** A transaction that only reads, a lock and a setting of PostgREST's say nothing about the request. */
function decideError(error: unknown): Decision {
  const code = errorCode(error) ?? "";
  if (code === "57014" || !/^[0-9A-Z]{5}$/.test(code)) throw error;
  if (["25006", "42704", "55P03"].includes(code))
    return unknown(`it cannot be tried: ${errorMessage(error)}.`);
  return failure(`PostgreSQL raises ${code} (${errorMessage(error)}).`);
}
