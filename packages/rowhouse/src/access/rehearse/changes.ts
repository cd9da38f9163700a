import { formatCondition } from "../model/condition.ts";
import {
  type AccessModel,
  type ApiRole,
  findRelation,
  type Relation,
  type Verb,
  verbs,
} from "../model/model.ts";
import { type Access, getAccess, type PolicyCheck, toSql } from "../model/policy-check.ts";
import {
  type Dependencies,
  describeThing,
  findChangedThings,
  findReach,
  policyId,
  type Reach,
  relationId,
  type Thing,
} from "./dependencies.ts";

/** Who may do what in a database, and what that rests on. */
export interface Rules {
  readonly model: AccessModel;
  readonly dependencies: Dependencies;
}

/** What can be done with a row; an update also has a row that results. */
type Action = Verb | "update (result)";

/** What one side of a change lets pass. */
interface Snapshot {
  /** Over the table's columns, never null. */
  readonly sql: string;
  /** The same for people. */
  readonly text: string;
}

/** A change of what a role may do with a table. */
export interface Change {
  /** Without its schema where that is the default one. */
  readonly table: string;
  /** With its schema. */
  readonly fullName: string;
  readonly role: ApiRole;
  readonly action: Action;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly columnsGained: readonly string[];
  readonly columnsLost: readonly string[];
  readonly isNewTable: boolean;
  /** Why its effect on rows is unknown; null when it is known. */
  readonly obstacle: string | null;
}

/** All changes from one set of rules to another. */
export function compareRules(before: Rules, after: Rules): Change[] {
  const changed = findChangedThings(before.dependencies, after.dependencies);
  const relations = [...before.model.relations, ...after.model.relations];
  const labels = [...new Set(relations.map(({ label }) => label))];
  const roles = [...new Set([...before.model.names.roles, ...after.model.names.roles])];
  return labels.sort().flatMap((label) => {
    const old = findRelation(before.model, label);
    const declared = findRelation(after.model, label);
    // What a role may do already on this server, no deploy takes away: others made it so.
    const next = declared && {
      ...declared,
      bypassedBy: either(old?.bypassedBy, declared.bypassedBy),
      ownedBy: either(old?.ownedBy, declared.ownedBy),
    };
    return roles.flatMap((role) =>
      verbs.flatMap((verb) =>
        findChanges({ label, old, next, role, verb, changed, before, after }),
      ),
    );
  });
}

function either(some: readonly ApiRole[] = [], others: readonly ApiRole[]): readonly ApiRole[] {
  return [...new Set([...some, ...others])];
}

interface Pair {
  readonly label: string;
  readonly old: Relation | undefined;
  readonly next: Relation | undefined;
  readonly role: ApiRole;
  readonly verb: Verb;
  readonly changed: readonly Thing[];
  readonly before: Rules;
  readonly after: Rules;
}

function findChanges(pair: Pair): Change[] {
  const { label, old, next, role, verb } = pair;
  const before = old && getAccess(old, role, verb);
  const after = next && getAccess(next, role, verb);
  const columns = changedColumns(before, after, pair);
  return listActions(verb).flatMap((action, index) => {
    const change = {
      table: label,
      fullName: (next ?? old)?.fullName ?? label,
      role,
      action,
      before: createSide(before, action),
      after: createSide(after, action),
      ...(index === 0 ? columns : noColumns),
      isNewTable: old === undefined,
    };
    const obstacle = findObstacle(pair, change);
    const differs = change.before.sql !== change.after.sql;
    const columnsDiffer = change.columnsGained.length + change.columnsLost.length > 0;
    return differs || columnsDiffer || obstacle !== null ? [{ ...change, obstacle }] : [];
  });
}

function listActions(verb: Verb): readonly Action[] {
  return verb === "update" ? ["update", "update (result)"] : [verb];
}

const noColumns = { columnsGained: [], columnsLost: [] };

/**
 * Only columns that are there already can be gained: a new one holds nothing yet, but for one that
 * is computed from another, out of sight so far.
 */
function changedColumns(
  before: Access | undefined,
  after: Access | undefined,
  { old, next }: Pair,
) {
  const had = before?.columns ?? [];
  const has = after?.columns ?? [];
  const there = (old?.columns ?? []).map(({ name }) => name);
  const hidden = there.filter((name) => !had.includes(name));
  const copies = (next?.columns ?? []).filter(
    (column) => column.generated && hidden.some((name) => column.default?.includes(name)),
  );
  const known = new Set([...there, ...(old ? copies.map(({ name }) => name) : [])]);
  return {
    columnsGained: has.filter((column) => !had.includes(column) && known.has(column)),
    columnsLost: had.filter((column) => !has.includes(column)),
  };
}

function createSide(access: Access | undefined, action: Action): Snapshot {
  if (!access || access.columns === null) return { sql: "false", text: "not granted" };
  const checks = action === "insert" || action === "update (result)" ? access.result : access.row;
  return { sql: toSql(checks), text: describeChecks(checks) };
}

function describeChecks(checks: readonly PolicyCheck[]): string {
  const condition = formatCondition(checks);
  if (condition === "true") return "every row";
  return condition === "false" ? "no row" : condition;
}

function findObstacle(pair: Pair, change: Omit<Change, "obstacle">): string | null {
  const { old, next, before, after } = pair;
  if (change.after.sql === "false") return null;
  if (old === undefined) {
    if (next === undefined || next.kind === "table" || next.asksAsInvoker) return null;
    return `it is a new ${next.kind}, which reads rows past the caller's policies`;
  }
  const differs = change.before.sql !== change.after.sql;
  if (old.kind !== "table" || next?.kind !== "table") {
    // Tables say themselves whose rows of them change: what matters here is the view.
    const view = findReach(after.dependencies, [relationId(old)], () => true);
    const isOther = findChangedUse(view, pair) !== null;
    return isOther || differs ? `it is a ${next?.kind}, whose rows are not compared` : null;
  }
  const reach = findPolicyReach(after, change, isPastInBoth(before, after));
  const changedUse = findChangedUse(reach, pair);
  if (changedUse !== null || !differs) return changedUse;
  return reach.hidden ?? findPolicyReach(before, change).hidden;
}

/** A function that reads past policies in one of the databases alone is none to rely on. */
function isPastInBoth(before: Rules, after: Rules): (thing: Thing) => boolean {
  const past = ({ dependencies }: Rules) =>
    new Set(dependencies.things.filter((thing) => thing.past).map(({ id }) => id));
  const [old, next] = [past(before), past(after)];
  return ({ id }) => old.has(id) && next.has(id);
}

/** What the policies rest on that decide on one side of a change. */
export function findPolicyReach(
  { model, dependencies }: Rules,
  { table, role, action }: Pick<Change, "table" | "role" | "action">,
  isPast?: (thing: Thing) => boolean,
): Reach {
  const relation = findRelation(model, table);
  const access = relation && getAccess(relation, role, toVerb(action));
  const isResult = action === "insert" || action === "update (result)";
  const checks = (isResult ? access?.result : access?.row) ?? [];
  const policies = checks
    .filter(({ open }) => !open)
    .flatMap(({ permissive, restrictive }) => [...permissive, ...restrictive]);
  const ids = policies.flatMap(({ policy }) => (relation ? [policyId(policy.name, relation)] : []));
  return findReach(dependencies, ids, isPast);
}

function toVerb(action: Action): Verb {
  return action === "update (result)" ? "update" : action;
}

/** What changes of that on which something rests, in a sentence; null when nothing does. */
function findChangedUse(reach: Reach, { changed }: Pair): string | null {
  if (reach.anything && changed.length > 0) {
    return `${reach.hidden}, and ${describeThing(changed[0] as Thing)} itself changes, or is new`;
  }
  const used = changed.filter((thing) => reach.things.includes(thing));
  if (used.length === 0) return null;
  const names = [...new Set(used.map(describeThing))];
  const many = names.length > 1;
  return `${names.join(", ")} ${many ? "change themselves" : "itself changes"}, or ${many ? "are" : "is"} new`;
}
