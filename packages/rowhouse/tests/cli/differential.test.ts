import type pg from "pg";
import { expect, test } from "vitest";
import { actAs, anonymousCaller, type Caller, userCaller } from "../../src/access/model/caller.ts";
import {
  type AccessModel,
  type Relation,
  readAccess,
  type Verb,
  verbs,
} from "../../src/access/model/model.ts";
import { readRules, rehearseWithin } from "../../src/access/rehearse/rehearse.ts";
import { ask } from "../../src/access/why/why.ts";
import { errorCode, errorMessage } from "../../src/lib/errors.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { alice, people } from "../support/people.ts";
import { columns, ids, randomSetUp, type SetUp, shares, type Values } from "../support/set-ups.ts";

const callers = [
  anonymousCaller("anonymous"),
  userCaller({ id: alice, email: "alice@example.com" }, "authenticated"),
];

/** Further claims, of those who have a token. */
const claims = { team: "red" };

/** How many set-ups are compared: those of the seed and the next ones. A failure names the one it is about. */
// A server without fsync = off takes three times as long for each.
const count = process.env.TEST_DATABASE_URL ? 60 : 200;

/** What was compared in all set-ups, so that a comparison that never takes place is noticed. */
interface Totals {
  why: Record<string, number>;
  columns: number;
  gained: number;
  lost: number;
  kept: number;
  obstacles: number;
}

test(`why, access and rehearse say what PostgreSQL does, in ${count} random set-ups`, async () => {
  // One commit gets one verdict: other set-ups are asked for by name.
  const seed = Number(process.env.TEST_SEED ?? 1);
  const totals: Totals = { why: {}, columns: 0, gained: 0, lost: 0, kept: 0, obstacles: 0 };
  const wrong: string[] = [];
  await withClient(await cloneDatabase(), async (client) => {
    await client.query(people);
    const { rows } = await client.query("select current_setting('server_version_num')::int as v");
    for (let index = 0; index < count; index += 1) {
      const setUp = randomSetUp(seed + index, rows[0].v >= 160_000);
      const found = await compare(client, setUp, totals);
      wrong.push(...found.map((line) => `TEST_SEED=${seed + index}: ${line}`));
    }
  });
  expect(wrong).toEqual([]);
  for (const part of ["yes", "no"]) expect(totals.why[part], part).toBeGreaterThan(count);
  // Seed 1 has 12 in 14,684: a function that reaches into a schema which the caller may not use.
  expect(totals.why.unknown ?? 0, "unknown").toBeLessThan(count / 5);
  for (const part of ["columns", "gained", "lost", "kept", "obstacles"] as const)
    expect(totals[part], part).toBeGreaterThan(count / 10);
}, 600_000);

/** All differences between what is reported and what happens in one set-up, which is rolled back. */
async function compare(client: pg.Client, setUp: SetUp, totals: Totals): Promise<string[]> {
  await client.query("begin");
  try {
    await client.query(setUp.structure);
    const next = await undone(client, async () => {
      await client.query(setUp.otherRules);
      return { rules: await readRules(client), reached: await reachAll(client) };
    });
    await client.query(setUp.rules);
    return [
      ...(await undone(client, () => compareColumns(client, totals))),
      ...(await compareWhy(client, setUp, totals)),
      ...(await compareRehearsal(client, next, totals)),
    ];
  } finally {
    await client.query("rollback");
  }
}

/** Does something and takes it back. */
async function undone<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query("savepoint undone");
  try {
    return await work();
  } finally {
    await client.query("rollback to savepoint undone; release savepoint undone");
  }
}

/** How many rows a statement touches when a caller runs it; the message when PostgreSQL refuses. */
async function attempt(
  client: pg.Client,
  caller: Caller,
  statement: string,
): Promise<number | null | string> {
  return undone(client, async () => {
    await actAs(client, caller, true);
    try {
      return (await client.query(statement)).rowCount;
    } catch (error) {
      // 42P17: policies that come back to the table where they began.
      if (["42501", "42P17"].includes(errorCode(error) ?? "")) return errorMessage(error);
      throw error;
    }
  });
}

/** Whether the grants let a statement pass: a view may still be refused what it reads. */
async function isLetNear(client: pg.Client, caller: Caller, statement: string): Promise<boolean> {
  const relation = /api\.(\w+)/.exec(statement)?.[1];
  const result = await attempt(client, caller, statement);
  return !new RegExp(`^permission denied for (table|view) ${relation}$`).test(`${result}`);
}

/** `access --json`: the columns that a role may name, of tables and views. */
async function compareColumns(client: pg.Client, totals: Totals): Promise<string[]> {
  const { relations } = await readAccess(client);
  // Policies may be refused what they call, even before PostgreSQL looks at the grants.
  for (const table of ["subject", "other"])
    await client.query(`alter table api.${table} disable row level security`);
  const those = relations.filter(({ name }) => /^(subject|other|seen)$/.test(name));
  const cases = those.flatMap((relation) =>
    callers.flatMap((caller) =>
      listUses(relation).map((use) => ({
        ...use,
        caller,
        expected: isGranted(relation, caller, use),
      })),
    ),
  );
  const wrong: string[] = [];
  for (const { caller, statement, expected } of cases) {
    const does = await isLetNear(client, caller, statement);
    if (does) totals.columns += 1;
    if (expected !== does)
      wrong.push(`access: ${caller.role}: ${statement}: ${expected}, but ${does}`);
  }
  return wrong;
}

interface Use {
  readonly verb: string;
  readonly column: string | null;
  readonly statement: string;
}

function isGranted(
  { grants, usableBy }: Relation,
  { role }: Caller,
  { verb, column }: Use,
): boolean {
  const columns = grants.find((one) => one.role === role && one.verb === verb)?.columns ?? null;
  return (
    usableBy.includes(role) && columns !== null && (column === null || columns.includes(column))
  );
}

/** Statements that need the grant of a column, or of delete, and touch no row. */
function listUses({ name, columns: all, kind }: Relation): Use[] {
  const uses = all.flatMap(({ name: column }) => [
    { verb: "select", column, statement: `select ${column} from api.${name} where false` },
    {
      verb: "insert",
      column,
      statement: `insert into api.${name} (${column}) select null where false`,
    },
    { verb: "update", column, statement: `update api.${name} set ${column} = null where false` },
  ]);
  const remove = { verb: "delete", column: null, statement: `delete from api.${name} where false` };
  // The view of the set-ups is granted to be read alone.
  return kind === "view" ? uses.filter(({ verb }) => verb === "select") : [...uses, remove];
}

/** `why`: each caller, verb and row, by a request without a filter and by one that names its row. */
async function compareWhy(client: pg.Client, setUp: SetUp, totals: Totals): Promise<string[]> {
  const model = await readAccess(client);
  const wrong: string[] = [];
  const cases = callers
    .map(withClaims)
    .flatMap((caller) => listCases(setUp).map((one) => ({ one, caller })));
  for (const { one, caller } of cases) {
    const { verdicts, reason, columns } = await askWhy(client, model, caller, one);
    const done = await doBoth(client, caller, one, columns);
    for (const verdict of verdicts) totals.why[verdict] = (totals.why[verdict] ?? 0) + 1;
    // "unknown" claims nothing.
    if (verdicts.every((verdict, at) => verdict === "unknown" || verdict === done[at])) continue;
    wrong.push(`why: ${caller.label} ${describeCase(one)}: ${verdicts}, but ${done} (${reason})`);
  }
  return wrong;
}

/** What becomes of a request without a filter, and of one that names its row. */
async function doBoth(client: pg.Client, caller: Caller, one: Case, columns: Request["columns"]) {
  const done: string[] = [];
  for (const filters of [false, true]) {
    const statement = statementFor({ ...one, columns, filters });
    // An upsert meets the row with its key, if there is one, and an insert meets none.
    const met = one.upsert ? (one.row?.id ?? null) : one.id;
    done.push(await happens(client, caller, met, statement));
    // No other verb has a filter here.
    if (one.verb === "select" || one.verb === "insert") return [...done, ...done];
  }
  return done;
}

function withClaims(caller: Caller): Caller {
  return caller.email === null ? caller : { ...caller, claims: { ...caller.claims, ...claims } };
}

/** What `why` says of a request without a filter, and of one that names its row. */
async function askWhy(client: pg.Client, model: AccessModel, caller: Caller, one: Case) {
  const question = { as: caller.label, table: "subject", owner: null, ...one };
  const further = caller.email === null ? {} : { claims };
  const { rows, columns } = await ask(client, model, { ...question, ...further });
  const [first] = rows;
  // Of an insert both are the same.
  const verdicts = [`${(first?.unfiltered ?? first)?.verdict}`, `${first?.verdict}`];
  return { verdicts, reason: first?.reason, columns };
}

function describeCase({ verb, id, upsert, returning }: Case): string {
  return [upsert ? "upsert" : verb, id, ...(returning ? ["returning"] : [])].join(" ");
}

type Case = Pick<Request, "verb" | "id" | "row" | "upsert" | "returning">;

/** Upserts and returned rows are a share of them: all in each set-up would take twice as long. */
function listCases({ patch, inserted, share }: SetUp): Case[] {
  const plain = { upsert: false, returning: false };
  const cases = verbs.flatMap((verb): Case[] =>
    verb === "insert"
      ? [{ verb, id: null, row: inserted, ...plain }]
      : ids.map((id) => ({ verb, id, row: verb === "update" ? patch : null, ...plain })),
  );
  const written = cases.filter(({ verb }) => verb !== "select");
  const upserts = written.filter(({ verb }) => verb === "insert");
  const further = [
    ...written.map((one) => ({ ...one, returning: true })),
    ...[false, true].flatMap((returning) =>
      upserts.map((one) => ({ ...one, upsert: true, returning })),
    ),
  ];
  return [...cases, ...further.filter((_, at) => at % shares === share)];
}

/** Whether a statement touches the row with an id, where it is the only one. */
async function happens(
  client: pg.Client,
  caller: Caller,
  id: string | null,
  statement: string,
): Promise<"yes" | "no"> {
  return undone(client, async () => {
    await client.query("delete from api.subject where id is distinct from $1", [id]);
    return (await attempt(client, caller, statement)) === 1 ? "yes" : "no";
  });
}

interface Request {
  readonly verb: Verb;
  readonly id: string | null;
  readonly row: Values | null;
  readonly upsert: boolean;
  readonly returning: boolean;
  /** Those that the role may name, if any. */
  readonly columns: readonly string[] | null;
  readonly filters: boolean;
}

function statementFor(request: Request): string {
  const { verb, row, upsert, returning } = request;
  const sets = Object.keys(row ?? {}).map((name) => `${name} = excluded.${name}`);
  return [
    plainStatement(request),
    ...(verb === "insert" && upsert ? [`on conflict (id) do update set ${sets.join(", ")}`] : []),
    ...(returning ? [`returning ${columns.join(", ")}`] : []),
  ].join(" ");
}

function plainStatement({ verb, id, row, columns: granted, filters }: Request): string {
  const filter = filters ? `where id = ${id}` : "";
  const entries = Object.entries(row ?? {}).map(([name, value]) => [name, `'${value}'`]);
  if (verb === "select") {
    const named = granted === null || granted.length === 0 ? columns : granted;
    return `select ${named.join(", ")} from api.subject`;
  }
  if (verb === "delete") return `delete from api.subject ${filter}`;
  if (verb === "update") {
    const changes = entries.map((entry) => entry.join(" = ")).join(", ");
    return `update api.subject set ${changes} ${filter}`;
  }
  const [names, values] = [0, 1].map((at) => entries.map((entry) => entry[at]).join(", "));
  return `insert into api.subject (${names}) values (${values})`;
}

type Reached = Record<string, string[]>;

/** The ids of the rows that each caller reads and deletes, one by one. */
async function reachAll(client: pg.Client): Promise<Reached> {
  const subject = (await readAccess(client)).relations.find(({ name }) => name === "subject");
  const reached: Reached = {};
  for (const caller of callers) {
    for (const verb of ["select", "delete"] as const) {
      const granted = subject?.grants.find((one) => one.role === caller.role && one.verb === verb);
      const plain = { row: null, filters: false, upsert: false, returning: false };
      const request = { verb, columns: granted?.columns ?? null, ...plain };
      const key = `${caller.role} ${verb}`;
      reached[key] = [];
      for (const id of ids) {
        const statement = statementFor({ ...request, id });
        if ((await happens(client, caller, id, statement)) === "yes") reached[key].push(id);
      }
    }
  }
  return reached;
}

interface Next {
  readonly rules: Awaited<ReturnType<typeof readRules>>;
  readonly reached: Reached;
}

/** `rehearse`: the rows that each caller gains, loses and keeps when the other rules come. */
async function compareRehearsal(client: pg.Client, next: Next, totals: Totals): Promise<string[]> {
  const options = { as: callers.map(({ email }) => email ?? "anonymous"), users: 50, examples: 9 };
  const before = await reachAll(client);
  const { changes } = await rehearseWithin(client, next.rules, { ...options, timeout: 30 });
  return callers.flatMap((caller) =>
    ["select", "delete"].flatMap((verb) => {
      const change = changes.find(
        ({ table, action, role }) => table === "subject" && action === verb && role === caller.role,
      );
      if (change?.obstacle) {
        totals.obstacles += 1;
        return [];
      }
      const key = `${caller.role} ${verb}`;
      const [had, has] = [before[key] ?? [], next.reached[key] ?? []];
      const gained = has.filter((id) => !had.includes(id));
      const lost = had.filter((id) => !has.includes(id));
      const kept = had.length - lost.length;
      totals.gained += gained.length;
      totals.lost += lost.length;
      totals.kept += kept;
      const effect = change?.effects.find(({ userId }) => userId === caller.id);
      const reported = effect && [effect.examples.gained, effect.examples.lost, effect.kept];
      const does = JSON.stringify([gained, lost, kept]);
      // Without an effect, nothing changes.
      const says = JSON.stringify(reported ?? [[], [], had.length]);
      return says === does ? [] : [`rehearse: ${key}: ${says}, but ${does}`];
    }),
  );
}
