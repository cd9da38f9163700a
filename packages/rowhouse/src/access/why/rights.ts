import type pg from "pg";
import type { Outcome } from "../model/evaluate.ts";
import type { AccessModel, ApiRole, Relation } from "../model/model.ts";
import { getAccess, type PolicyCheck } from "../model/policy-check.ts";
import { describeNoMember, formatObstacle, type Obstacle } from "../model/session.ts";
import {
  columnId,
  type Dependencies,
  findReach,
  policyId,
  type Reach,
  readDependencies,
  relationId,
} from "../rehearse/dependencies.ts";
import { findMentions } from "../rehearse/mentions.ts";
import { type Decision, failure } from "./decide.ts";

/**
 * What a session that may not act as the caller's role can know: conditions on the row and the claims come to
 * the same with its own rights, and what a role may call and read stands in the catalog.
 */
export interface OwnRights {
  /** That the session may not become the caller's role, and what to do. */
  readonly obstacle: Obstacle;
  /** What a policy's condition comes to; null where it is evaluated with the session's own rights. */
  readonly judgePolicy: (relation: Relation, policy: string, sql: string) => Outcome | null;
  /** Why the default of a column is not known, or fails; null where it can be evaluated. */
  readonly judgeDefault: (
    relation: Relation,
    column: Relation["columns"][number],
  ) => Promise<Decision | null>;
  /** Why it is not known what a view shows; null where its owner's rights decide alone. */
  readonly judgeView: (relation: Relation) => string | null;
  /** Whether the policies of these checks come back to their own table, if they may. */
  readonly findRecursion: (relation: Relation, checks: readonly PolicyCheck[]) => Decision | null;
}

/** Reads what a session can know of a role that it may not become. The search path has to be empty. */
export async function readOwnRights(
  client: pg.ClientBase,
  model: AccessModel,
  role: ApiRole,
): Promise<OwnRights> {
  const dependencies = await readDependencies(client, model.names);
  const obstacle = await describeNoMember(client, role);
  const known: Known = { dependencies, model, role, obstacle: formatObstacle(obstacle) };
  return {
    obstacle,
    judgePolicy: (relation, policy, sql) => judgePolicy(known, relation, policy, sql),
    judgeDefault: (relation, column) => judgeDefault(client, known, relation, column),
    judgeView: (relation) => judgeView(known, relation),
    findRecursion: (relation, checks) => decideRecursion(known, relation, checks),
  };
}

interface Known {
  readonly dependencies: Dependencies;
  readonly model: AccessModel;
  readonly role: ApiRole;
  readonly obstacle: string;
}

function judgePolicy(
  known: Known,
  relation: Relation,
  policy: string,
  sql: string,
): Outcome | null {
  const id = policyId(policy, relation);
  const refused = findRefusedCall(known, id, sql);
  if (refused !== null) {
    const reason = `permission denied for function ${refused}`;
    return { value: "fails", reason, code: "42501" };
  }
  const reason = findDependence(known, id);
  return reason === null ? null : { value: "unknown", reason: `${reason}, and ${known.obstacle}` };
}

/** PostgreSQL may leave out a call beside one of these before it looks whether the caller may. */
const shortcut = /\b(true|false|null|case|coalesce)\b/i;

/** A function that a condition itself calls, and that the role may not execute; null when there is none. */
function findRefusedCall({ dependencies, role }: Known, id: string, sql: string): string | null {
  if (shortcut.test(sql)) return null;
  const uses = dependencies.things.find((thing) => thing.id === id)?.uses ?? [];
  // The policy may call it in its other expression alone.
  const called = findMentions(sql, "expression").functions;
  const refused = dependencies.things.find(
    ({ kind, id: other, schema, name, usableBy }) =>
      kind === "function" &&
      uses.includes(other) &&
      !usableBy.includes(role) &&
      called.some((one) => one.schema === schema && one.name === name),
  );
  return refused?.name ?? null;
}

/** How a condition depends on who asks; null when it looks at the row and the claims alone. */
function findDependence(known: Known, id: string): string | null {
  const { role } = known;
  const { things, asRole } = reach(known, id);
  if (asRole) return "it reads tables, or looks at who asks";
  const refused = things.find(
    ({ kind, usableBy }) => kind === "function" && !usableBy.includes(role),
  );
  return refused === undefined
    ? null
    : `it rests on ${refused.schema}.${refused.name}(), which ${role} may not execute`;
}

async function judgeDefault(
  client: pg.ClientBase,
  known: Known,
  relation: Relation,
  { name, generated, default: sql }: Relation["columns"][number],
): Promise<Decision | null> {
  if (sql === null) return null;
  const sequence = /^nextval\('(.*)'::regclass\)$/.exec(sql)?.[1]?.replaceAll("''", "'");
  if (sequence !== undefined) {
    const { rows } = await client.query<{ may: boolean }>(
      "select has_sequence_privilege($1, $2, 'usage') or has_sequence_privilege($1, $2, 'update') as may",
      [known.role, sequence],
    );
    if (rows[0]?.may) return null;
    return failure(
      `the default of ${name} raises 42501 (permission denied for sequence ${sequence.split(".").at(-1)}).`,
    );
  }
  const kind = generated ? "values" : "default";
  const reason = findDependence(known, columnId(kind, name, relation));
  if (reason === null) return null;
  return {
    verdict: "unknown",
    reason: `the default of ${name} cannot be evaluated: ${reason}, and ${known.obstacle}.`,
  };
}

/** A function in a view is called as the caller, whoever's rights the view reads with. */
function judgeView(known: Known, relation: Relation): string | null {
  const { role, obstacle } = known;
  const { things } = reach(known, relationId(relation));
  const isRefused = things.some(
    ({ kind, usableBy }) => kind === "function" && !usableBy.includes(role),
  );
  return isRefused ? obstacle : null;
}

function decideRecursion(
  known: Known,
  relation: Relation,
  checks: readonly PolicyCheck[],
): Decision | null {
  const found = findCircle(known, relation, checks, []);
  if (found !== null)
    return failure(
      `PostgreSQL raises 42P17 (infinite recursion detected in policy for relation "${found.name}").`,
    );
  // By a view or function: another policy that is "true" would not spare the request this.
  const conditions = checks.filter(({ open }) => !open).flatMap(listConditions);
  const own = relationId(relation);
  const suspect = conditions.find(({ policy }) =>
    reach(known, policyId(policy.name, relation)).things.some(({ id }) => id === own),
  );
  if (suspect === undefined) return null;
  const reason = `${suspect.policy.name} cannot be evaluated: it reads its own table, and ${known.obstacle}.`;
  return { verdict: "unknown", reason };
}

/**
 * The table that policies certainly come back to: their own texts read it, or a table whose policies do.
 *
 * @param path The tables that led here.
 */
function findCircle(
  known: Known,
  relation: Relation,
  checks: readonly PolicyCheck[],
  path: readonly Relation[],
): Relation | null {
  const read = checks.filter(({ open }) => !open).flatMap((check) => listReadTables(known, check));
  if (read.length === 0) return null;
  if (path.includes(relation)) return relation;
  for (const other of read) {
    const next = getAccess(other, known.role, "select").row;
    const found = findCircle(known, other, next, [...path, relation]);
    if (found !== null) return found;
  }
  return null;
}

/** The tables that the conditions themselves name, of those that are exposed. */
function listReadTables({ model }: Known, check: PolicyCheck): Relation[] {
  const names = listConditions(check).flatMap(
    ({ sql }) => findMentions(sql, "expression").relations,
  );
  return names.flatMap(({ schema, name }) => {
    const found = model.relations.find((one) => one.schema === schema && one.name === name);
    return found?.kind === "table" ? [found] : [];
  });
}

function listConditions({ permissive, restrictive }: PolicyCheck) {
  return [...permissive, ...restrictive];
}

/** What something rests on: a function with its owner's rights comes to the same whoever calls it. */
function reach({ dependencies }: Known, id: string): Reach {
  return findReach(dependencies, [id], undefined, ({ definer }) => definer);
}
