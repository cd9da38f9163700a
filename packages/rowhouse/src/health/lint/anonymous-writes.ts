import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { anonymousCaller, type Caller } from "../../access/model/caller.ts";
import { evaluate } from "../../access/model/evaluate.ts";
import {
  type AccessModel,
  type ApiRole,
  type Policy,
  type Relation,
  readAccess,
  type Verb,
} from "../../access/model/model.ts";
import { getAccess, type PolicyCheck } from "../../access/model/policy-check.ts";
import { canBecome } from "../../access/model/session.ts";
import { splitTerms } from "../../access/mutants/terms.ts";
import { findMentions, findWhereMentions, type Mentions } from "../../access/rehearse/mentions.ts";
import { readableName } from "../../lib/readable-name.ts";
import { groupBy } from "../../schema/plan/group.ts";
import type { ApiNames } from "../../stack/api-names.ts";
import type { Rule } from "./rule.ts";

/** The rule about what anonymous requests may write: conditions about the caller are evaluated for one. */
export const anonymousWrites: Omit<Rule, "query"> = {
  name: "anonymous_writes",
  level: "warning",
  scope: "any",
  why: "Anonymous requests may write there: no user stands behind such a row, and nothing but the edge limits how many there are.",
  remedy:
    "revoke insert, update, delete on ... from the anonymous role, or let the policy be to another role, or ask who the caller is; a view gets security_invoker. Where it is meant, as for a contact form, waive it.",
  cost: "Few: only what no policy ties to a caller.",
};

const viewsQuery = readFileSync(join(import.meta.dirname, "anonymous_views.sql"), "utf8");

const writes: readonly Verb[] = ["delete", "insert", "update"];

/** What breaks the rule, before what is found of one object is put together. */
interface Found {
  readonly rule: string;
  readonly object: string;
  readonly finding: string;
}

/**
 * Finds what anonymous requests may write.
 *
 * @param client In a transaction, whose search path it empties. Nothing is written.
 */
export async function findAnonymousWrites(
  client: pg.ClientBase,
  names: ApiNames,
): Promise<Found[]> {
  const { anonymous } = names;
  if (anonymous === undefined) return [];
  const model = await readAccess(client, names);
  const asRole = await canBecome(client, anonymous);
  const search: Search = { client, model, asRole, anonymous };
  const found: Omit<Found, "rule">[] = [];
  await client.query("savepoint writes; select set_config('request.headers', '{}', true)");
  for (const relation of model.relations) found.push(...(await findOpen(search, relation)));
  await client.query("rollback to savepoint writes");
  found.push(...(await findOpenViews(search)));
  return found.map((one) => ({ rule: anonymousWrites.name, ...one }));
}

interface Search {
  readonly client: pg.ClientBase;
  readonly model: AccessModel;
  /** Whether the connection may act as the anonymous role. */
  readonly asRole: boolean;
  readonly anonymous: ApiRole;
}

async function findOpen(search: Search, relation: Relation): Promise<Omit<Found, "rule">[]> {
  const { anonymous } = search;
  const granted = writes.filter((verb) => getAccess(relation, anonymous, verb).columns !== null);
  // What bypasses all policies is the rule role_powers'.
  if (granted.length === 0 || relation.bypassedBy.includes(anonymous)) return [];
  const may = `${anonymous} may ${granted.join(", ")}`;
  const object = relation.fullName;
  if (relation.kind === "foreign table")
    return [{ object, finding: `${may}, and no policy applies to a foreign table` }];
  if (relation.kind !== "table") return [];
  if (!relation.rowSecurity)
    return [{ object, finding: `${may}, and its row-level security is off` }];
  const open: (OpenPolicy & { readonly verb: Verb })[] = [];
  for (const verb of granted) {
    const policies = await findOpenPolicies(search, relation, verb);
    open.push(...policies.map((one) => ({ ...one, verb })));
  }
  const groups = groupBy(open, ({ policy, effect }) => JSON.stringify([policy.name, effect]));
  return [...groups.values()].flatMap((group) => {
    const verbs = group.map(({ verb }) => verb).join(", ");
    return group.slice(0, 1).map(({ policy, effect }) => ({
      object: `${object}.${readableName(policy.name)}`,
      finding: `${anonymous} may ${verbs} by the policy${effect}`,
    }));
  });
}

/** A policy that lets anonymous requests do something, alone or with others. */
interface OpenPolicy {
  readonly policy: Policy;
  /** What it does, after its name. */
  readonly effect: string;
}

/** The policies that let anonymous requests pass a check, each with whether it asks about the caller at all. */
type OpenSide = ReadonlyMap<Policy, "open" | "passes">;

/**
 * PostgreSQL joins the USING of all permissive policies with OR, and so their WITH CHECK: an update may pass the
 * one by another policy than the other.
 */
async function findOpenPolicies(
  search: Search,
  relation: Relation,
  verb: Verb,
): Promise<OpenPolicy[]> {
  const { row, result } = getAccess(relation, search.anonymous, verb);
  const sides: OpenSide[] = [];
  for (const check of [...row, ...result]) {
    if (check.open || (await isHeld(search, relation, check))) return [];
    sides.push(await findOpenSide(search, relation, check));
  }
  if (sides.some((side) => side.size === 0)) return [];
  const policies = [...new Set(sides.flatMap((side) => [...side.keys()]))];
  const whole = policies.filter((policy) => sides.every((side) => side.has(policy)));
  if (whole.length > 0)
    return whole.map((policy) => ({ policy, effect: `, which ${describeSides(sides, policy)}` }));
  return policies.map((policy) => {
    const side = sides[0]?.has(policy) ? "USING" : "WITH CHECK";
    return { policy, effect: ` and others: its ${side} ${describeSides(sides, policy)}` };
  });
}

function describeSides(sides: readonly OpenSide[], policy: Policy): string {
  const passesCaller = sides.some((side) => side.get(policy) === "passes");
  return passesCaller ? "lets requests without a token pass" : "asks nothing about the caller";
}

async function findOpenSide(
  search: Search,
  relation: Relation,
  check: PolicyCheck,
): Promise<OpenSide> {
  const open = new Map<Policy, "open" | "passes">();
  for (const { policy, sql } of check.permissive) {
    const answer = await judge(search, relation, sql);
    if (answer === "open" || answer === "passes") open.set(policy, answer);
  }
  return open;
}

/** Whether a restrictive policy refuses anonymous requests. */
async function isHeld(search: Search, relation: Relation, check: PolicyCheck): Promise<boolean> {
  for (const { sql } of check.restrictive) {
    const answer = await judge(search, relation, sql);
    if (answer !== "open" && answer !== "passes") return true;
  }
  return false;
}

/**
 * What a condition is to an anonymous request: "open" does not ask about the caller, "passes" does, and
 * lets it in, "closed" lets it in for no row, and "asks" depends on the row and the caller together.
 */
type Answer = "open" | "passes" | "closed" | "asks";

async function judge(search: Search, relation: Relation, sql: string): Promise<Answer> {
  const { word, parts } = splitTerms(sql);
  if (word === null) return judgeTerm(search, relation, parts[0] ?? sql);
  const answers: Answer[] = [];
  for (const part of parts) answers.push(await judge(search, relation, part));
  const order: readonly Answer[] =
    word === "or" ? ["open", "passes", "asks", "closed"] : ["closed", "asks", "passes", "open"];
  return order.find((one) => answers.includes(one)) ?? "asks";
}

async function judgeTerm(search: Search, relation: Relation, sql: string): Promise<Answer> {
  if (sql === "false") return "closed";
  const { model, anonymous, client, asRole } = search;
  const mentions = findMentions(sql, "expression");
  if (!asksCaller(model, mentions)) return "open";
  if (mentions.hidden !== null) return "asks";
  const columns = relation.columns.map(({ name }) => name);
  const isAboutRows =
    mentions.relations.length > 0 || mentions.attributes.some((name) => columns.includes(name));
  if (isAboutRows) return "asks";
  const row = `(${",".repeat(Math.max(columns.length - 1, 0))})`;
  const caller: Caller = anonymousCaller(anonymous);
  const condition = { table: relation, sql, row, findSystem: async () => ({}) };
  const { value } = await evaluate(client, condition, caller, asRole);
  if (value === "true") return "passes";
  return value === "unknown" ? "asks" : "closed";
}

/** Whether a condition may come to something else for another caller: also one that the parser does not read. */
function asksCaller(model: AccessModel, { functions, values, hidden }: Mentions): boolean {
  return (
    hidden !== null ||
    values.some((value) => /_(USER|ROLE)$/.test(value)) ||
    functions.some(
      ({ schema, name }) =>
        name === "current_setting" ||
        (schema !== null && schema !== "pg_catalog" && !isPure(model, schema, name)),
    )
  );
}

/** Whether all functions of that name look at their arguments alone. */
function isPure({ functions }: AccessModel, schema: string, name: string): boolean {
  const named = functions.filter((one) => one.schema === schema && one.name === name);
  return named.length > 0 && named.every(({ volatility }) => volatility === "immutable");
}

/** A view through which anonymous requests may write with the rights of its owner, as far as its WHERE lets them. */
interface OwnersView {
  readonly object: string;
  readonly query: string;
  /** Whether what is written has to pass its WHERE, too. */
  readonly is_checked: boolean;
  readonly verbs: readonly Verb[];
}

/** Views that write with the rights of their owner, to whom the policies of the tables do not apply. */
async function findOpenViews({ client, model, anonymous }: Search): Promise<Omit<Found, "rule">[]> {
  const { rows } = await client.query<OwnersView>(viewsQuery, [model.names.schemas, anonymous]);
  return rows.flatMap((view) => {
    const verbs = listOpenVerbs(model, view);
    const finding = `${anonymous} may ${verbs.join(", ")} through the view, with the rights of its owner`;
    return verbs.length === 0 ? [] : [{ object: view.object, finding }];
  });
}

/** Only a WHERE that asks about the caller protects, and what is inserted with a check option alone. */
function listOpenVerbs(model: AccessModel, { query, is_checked, verbs }: OwnersView): Verb[] {
  if (!asksCaller(model, findWhereMentions(query))) return [...verbs];
  return is_checked ? [] : verbs.filter((verb) => verb === "insert");
}
