import type { withClient } from "../support.ts";
import type { Statement } from "./recorder.ts";

type Client = Parameters<Parameters<typeof withClient>[1]>[0];

/** A plan of PostgreSQL, as `explain (format json)` gives it, with what happened. */
interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Plan Rows": number;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How a prepared statement is planned: once for all parameters, or for these. */
export type PlanMode = "force_generic_plan" | "force_custom_plan";

/** What a statement may cost. */
export interface Budget {
  /** The most rows that it may read of tables, and sort. */
  readonly rows: number;
  /** Tables that are small whatever happens, and may be read as a whole. */
  readonly small?: readonly string[];
}

/** How far an estimate may be off. */
const mostOff = 100;

/** A statement, and who sends it. */
export interface Run {
  readonly caller: string;
  readonly statement: Statement;
}

/**
 * Runs a statement as PostgREST does, in a transaction of the caller's, and takes back what it did.
 *
 * @param runs One after the other, on one connection: a generic plan is made for the first of them.
 * @returns What is over the budget in the last of them.
 */
export async function findOverruns(
  client: Client,
  runs: readonly Run[],
  { mode, budget }: { mode: PlanMode; budget: Budget },
): Promise<string[]> {
  const last = runs.at(-1);
  if (last === undefined) return [];
  await client.query(`set local plan_cache_mode = ${mode}`);
  const types = await formatTypes(client, last.statement.types);
  await client.query(`prepare measured ${types} as ${last.statement.text}`);
  const plans: PlanNode[] = [];
  for (const { caller, statement } of runs) {
    plans.push(await explain(client, caller, statement.values));
  }
  // A plan that stops at a limit has not seen all rows that it was estimated for.
  const whole = await explain(client, last.caller, withoutLimit(last.statement));
  await client.query("deallocate measured");
  const estimates = runs.length === 1 ? listEstimates(whole) : [];
  return [...plans.slice(-1).flatMap((plan) => listOverruns(plan, budget)), ...estimates];
}

async function formatTypes(client: Client, types: readonly number[]): Promise<string> {
  if (types.length === 0) return "";
  const unknown = 705;
  const { rows } = await client.query<{ names: string }>(
    `select string_agg(format_type(type::oid, null), ', ' order by at) as names
    from unnest($1::int[]) with ordinality as given (type, at)`,
    [types.map((type) => type || unknown)],
  );
  return `(${rows[0]?.names})`;
}

async function explain(
  client: Client,
  caller: string,
  values: Statement["values"],
): Promise<PlanNode> {
  const claims = JSON.stringify({ sub: caller, role: "authenticated" });
  const given = values.map((value) => (value === null ? "null" : client.escapeLiteral(value)));
  const list = given.length === 0 ? "" : `(${given.join(", ")})`;
  await client.query("savepoint before; set local role authenticated");
  await client.query("select set_config('request.jwt.claims', $1, true)", [claims]);
  const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
    `explain (analyze, timing off, format json) execute measured ${list}`,
  );
  await client.query("rollback to savepoint before");
  const plan = rows[0]?.["QUERY PLAN"][0].Plan;
  if (plan === undefined) throw new Error("PostgreSQL gave no plan.");
  return plan;
}

/** The parameters of a statement, with a limit that no table of a test reaches. */
function withoutLimit({ text, values }: Statement): (string | null)[] {
  const limits = [...text.matchAll(/\blimit \$(\d+)/gi)].map(([, number]) => Number(number) - 1);
  return values.map((value, at) => (limits.includes(at) ? "1000000" : value));
}

function listNodes(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(listNodes)];
}

/** What a node has read, or sorted, in all its loops. */
function countRows(node: PlanNode): number {
  const removed =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  return Math.round((node["Actual Rows"] + removed) * node["Actual Loops"]);
}

function listOverruns(plan: PlanNode, { rows, small = [] }: Budget): string[] {
  const nodes = listNodes(plan);
  const scans = nodes.filter(
    ({ "Relation Name": name, "Node Type": type }) =>
      name !== undefined && !small.includes(name) && type !== "ModifyTable",
  );
  const read = scans.filter((node) => countRows(node) > rows);
  const sorted = nodes.filter(
    (node) =>
      node["Node Type"] === "Sort" && (node.Plans ?? []).some((one) => countRows(one) > rows),
  );
  const whole = scans.filter(
    (node) => node["Node Type"] === "Seq Scan" && node["Actual Loops"] > 0,
  );
  return [
    ...whole.map((node) => `reads all of ${node["Relation Name"]}`),
    ...read.map((node) => `reads ${countRows(node)} rows of ${node["Relation Name"]}`),
    ...sorted.map((node) => `sorts ${countRows(node.Plans?.[0] ?? node)} rows`),
  ];
}

/** Estimates of what is read of a table that are too far from what was read. */
function listEstimates(plan: PlanNode): string[] {
  return listNodes(plan).flatMap((node) => {
    if (node["Relation Name"] === undefined || node["Actual Loops"] === 0) return [];
    if (node["Node Type"] === "ModifyTable") return [];
    const [estimated, actual] = [Math.max(1, node["Plan Rows"]), Math.max(1, node["Actual Rows"])];
    const off = Math.max(estimated / actual, actual / estimated);
    if (off <= mostOff) return [];
    return [`estimates ${estimated} rows of ${node["Relation Name"]} and reads ${actual}`];
  });
}
