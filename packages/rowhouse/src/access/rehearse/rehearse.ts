import type pg from "pg";
import type { Caller } from "../model/caller.ts";
import { type ApiRole, findRelation, type Relation, readAccess } from "../model/model.ts";
import { sqlName } from "../model/names.ts";
import { assertSeesRows, canBecome, describeNoMember, withReadOnly } from "../model/session.ts";
import { type Change, compareRules, findPolicyReach, type Rules } from "./changes.ts";
import { hasNoRows, type Tally, tallyAsRole, tallyInPlace } from "./count.ts";
import { readDependencies } from "./dependencies.ts";
import { functionChanges } from "./functions.ts";
import { compareByOrder, type Rehearsal, type RehearsedChange, summarize } from "./rehearsal.ts";
import { sampleUsers } from "./sampled-users.ts";
import type { Scan } from "./scan.ts";

/** How to look. */
export interface RehearsalOptions {
  /** Email addresses, ids or the anonymous role; none chooses. */
  readonly as: readonly string[];
  /** How many users at most, when none is named. */
  readonly users: number;
  readonly examples: number;
  /** How long one statement may take, in seconds. */
  readonly timeout: number;
}

/** Reads who may do what in a database, and what that rests on. It writes nothing. */
export async function readRules(client: pg.ClientBase): Promise<Rules> {
  // The dependencies are read after the model, which leaves the search path empty.
  const model = await readAccess(client);
  return { model, dependencies: await readDependencies(client, model.names) };
}

/**
 * Finds out what new rules would change in a database, row by row, without changing anything.
 *
 * @param progress Takes what is being checked.
 * @throws RowhouseError user_unknown, user_ambiguous, rows_hidden, database_not_migrated,
 *   query_timeout, database_unreachable, database_refused
 */
export async function rehearse(
  url: string,
  declared: Rules,
  options: RehearsalOptions,
  progress: (doing: string) => void = () => {},
): Promise<Rehearsal> {
  return withReadOnly(url, options.timeout, (client) =>
    rehearseWithin(client, declared, options, progress),
  );
}

/**
 * The same within a transaction that reads.
 *
 * @param progress Takes what is being checked.
 */
export async function rehearseWithin(
  client: pg.ClientBase,
  declared: Rules,
  options: RehearsalOptions,
  progress: (doing: string) => void = () => {},
): Promise<Rehearsal> {
  // Scans begin at the beginning, so that the same rows are the examples each time.
  await client.query("set local synchronize_seqscans = off");
  const rules = await readRules(client);
  const changes = compareRules(rules, declared);
  const functions = functionChanges(rules, declared);
  if (changes.length === 0) return summarize([], functions, { sampled: 0, total: 0 });
  const tables = [...new Set(changes.filter(isComparable).map(({ table }) => table))];
  const relations = tables.flatMap((table) => findRelation(rules.model, table) ?? []);
  for (const relation of relations) await assertSeesRows(client, sqlName(relation));
  const sampled = await sampleUsers(client, rules.model.names, relations, options);
  const stage: Stage = { client, rules, declared, options, progress, callers: sampled.callers };
  const rehearsed: RehearsedChange[] = [];
  for (const relation of relations) {
    rehearsed.push(...(await rehearseTable(stage, relation, changes)));
  }
  const rest = changes.filter((change) => !isComparable(change)).map(withoutEffects);
  return summarize([...rehearsed, ...rest].sort(compareByOrder(changes)), functions, {
    sampled: sampled.users,
    total: sampled.total,
  });
}

interface Stage {
  readonly client: pg.ClientBase;
  readonly rules: Rules;
  readonly declared: Rules;
  readonly options: RehearsalOptions;
  readonly progress: (doing: string) => void;
  readonly callers: readonly Caller[];
}

function isComparable({ isNewTable, obstacle, before, after }: Change): boolean {
  return !isNewTable && obstacle === null && before.sql !== after.sql;
}

function withoutEffects(change: Change): RehearsedChange {
  return { ...change, effects: [], isEmpty: false };
}

async function rehearseTable(stage: Stage, relation: Relation, all: readonly Change[]) {
  const done: RehearsedChange[] = [];
  const { names } = stage.rules.model;
  const isEmpty = await hasNoRows(stage.client, relation);
  for (const role of new Set(all.map((change) => change.role))) {
    const changes = all.filter(
      (change) => change.table === relation.label && change.role === role && isComparable(change),
    );
    if (changes.length === 0) continue;
    done.push(
      ...(await rehearseChanges(
        stage,
        { relation, changes, examples: stage.options.examples },
        role,
      )),
    );
  }
  // What a request without a token is, is known: it has no other claims.
  return done.map((change) => ({
    ...(isEmpty || change.role === names.anonymous ? change : assertClaims(stage, change)),
    isEmpty,
  }));
}

/** Where nobody gains and no token has a claim that decides, another token may gain all the same. */
function assertClaims(
  { rules, declared, callers }: Stage,
  change: RehearsedChange,
): RehearsedChange {
  const { before, role, effects, obstacle } = change;
  if (obstacle !== null || before.sql === "true" || effects.some(({ gained }) => gained > 0))
    return change;
  const claims = [rules, declared].flatMap((side) => findPolicyReach(side, change).claims);
  const isMissing = (claim: string | null) =>
    claim === null || !callers.some((one) => one.role === role && Object.hasOwn(one.claims, claim));
  const missing = [...new Set(claims)].filter(isMissing);
  return missing.length === 0
    ? change
    : {
        ...change,
        effects: [],
        obstacle: `${describeMissing(missing)}, which no checked token has`,
      };
}

function describeMissing(claims: readonly (string | null)[]): string {
  const named = claims.filter((claim) => claim !== null);
  if (named.length === 0) return "it reads a claim whose name is computed";
  return `it reads the claim${named.length === 1 ? "" : "s"} ${named.join(", ")}`;
}

/** All changes to a table for a role, together; when that fails, one by one to find which. */
async function rehearseChanges(
  stage: Stage,
  scan: Scan,
  role: ApiRole,
): Promise<RehearsedChange[]> {
  const callers = stage.callers.filter((caller) => caller.role === role);
  const tallies = await countEffects(stage, scan, role, callers);
  if (!("obstacle" in tallies)) {
    return scan.changes.map((change, index) => ({
      ...withoutEffects(change),
      effects: callers.map(({ label, id }, person) => ({
        who: label,
        userId: id,
        ...(tallies[person]?.[index] as Tally),
      })),
    }));
  }
  if (scan.changes.length === 1) {
    return scan.changes.map((change) => ({
      ...withoutEffects(change),
      obstacle: tallies.obstacle,
    }));
  }
  const done: RehearsedChange[] = [];
  for (const change of scan.changes) {
    done.push(...(await rehearseChanges(stage, { ...scan, changes: [change] }, role)));
  }
  return done;
}

/** The tallies, by person and change. */
async function countEffects(
  { client, rules, declared, progress }: Stage,
  scan: Scan,
  role: ApiRole,
  callers: readonly Caller[],
): Promise<readonly (readonly Tally[])[] | { readonly obstacle: string }> {
  const table = scan.relation.fullName;
  const isPlainHere = (change: Change) => [rules, declared].every((side) => isPlain(side, change));
  if (!scan.changes.every(isPlainHere)) {
    if (!(await canBecome(client, role))) {
      const { message, remedy } = await describeNoMember(client, role);
      return { obstacle: `${message}, whose rights decide: ${remedy}` };
    }
    return tallyAsRole(client, scan, callers, (rows) =>
      progress(`${table}: ${rows} rows, for ${callers.length} people`),
    );
  }
  const tallies: (readonly Tally[])[] = [];
  for (const [index, caller] of callers.entries()) {
    progress(`${table}: ${index + 1} of ${callers.length} people`);
    const own = await tallyInPlace(client, scan, caller);
    if ("obstacle" in own) return own;
    tallies.push(own);
  }
  return tallies;
}

/**
 * Whether a condition comes to the same for the owner of the database as for a role: it looks at
 * nothing but its row and the claims, and calls nothing that the role may not call.
 */
function isPlain(rules: Rules, change: Change): boolean {
  const { asRole, things } = findPolicyReach(rules, change);
  return (
    !asRole &&
    things.every(({ kind, usableBy }) => kind !== "function" || usableBy.includes(change.role))
  );
}
