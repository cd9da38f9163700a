import { randomInt, randomUUID } from "node:crypto";
import { withClient } from "../../stack/database.ts";
import {
  type Actor,
  type Expected,
  type MatrixLine,
  matrix,
  type RequestPlan,
  usersMatrix,
  withoutGrant,
} from "./matrix.ts";
import { type Change, findChange, makeRow, makeUser, Refusal, type Workshop } from "./rows.ts";
import { type OwnedTable, readTables, type Tables } from "./tables.ts";

/** What one of two users, or an anonymous caller, tries on a row of an owned table. */
export interface TwoUserAttempt {
  /** "tasks: another user reads the row by id" */
  readonly name: string;
  /** "tasks", or "billing.invoices" where the schema is not the default one. */
  readonly table: string;
  readonly actor: Actor;
  readonly request: RequestPlan;
  readonly expected: Expected;
  /** Whether the answer must be the same for a row, or an owner, that is not there. */
  readonly likeAbsent: boolean;
}

/** What is not tried, and why: "notes", or "notes: the owner changes the row". */
export interface NotTried {
  readonly name: string;
  readonly reason: string;
}

/** What two users can try on a database. */
export interface AttemptPlan {
  readonly tables: Tables;
  readonly attempts: readonly TwoUserAttempt[];
  readonly notTried: readonly NotTried[];
}

/** What stands for all owned tables where there is none. */
const noTables: NotTried = {
  name: "two users",
  reason: "the database has no owned table: none has a key of an owner's column and id",
};

/**
 * Finds out what two users can try: on each owned table whose constraints a made-up row meets, and
 * on the table of users. Nothing stays in the database.
 *
 * @param url The database, as a role that row-level security does not hold.
 */
export async function planAttempts(url: string): Promise<AttemptPlan> {
  return withWorkshop(url, "rollback", async (workshop) => {
    const { tables } = workshop;
    const parts: Pick<AttemptPlan, "attempts" | "notTried">[] = [];
    for (const table of tables.owned) parts.push(await planTable(workshop, table, matrix));
    if (tables.users !== undefined && tables.exposedSchemas.includes(tables.users.schema)) {
      parts.push(await planTable(workshop, tables.users, usersMatrix));
    }
    return {
      tables,
      attempts: parts.flatMap(({ attempts }) => attempts),
      notTried: parts.length === 0 ? [noTables] : parts.flatMap(({ notTried }) => notTried),
    };
  });
}

/** Opens a transaction to make up rows in. */
export async function withWorkshop<T>(
  url: string,
  end: "commit" | "rollback",
  work: (workshop: Workshop) => Promise<T>,
  { tables, nextSeed = countedSeeds() }: Partial<Pick<Workshop, "tables" | "nextSeed">> = {},
): Promise<T> {
  return withClient(url, async (client) => {
    await client.query("begin");
    const workshop = { client, tables: tables ?? (await readTables(client)), nextSeed };
    await client.query("set search_path = ''");
    const done = await work(workshop);
    await client.query(end);
    return done;
  });
}

/** Numbers that go up from any one: runs on one database do not meet. */
function countedSeeds(): () => number {
  let seed = randomInt(1, 1_000_000_000);
  return () => {
    seed += 1;
    return seed;
  };
}

async function planTable(
  workshop: Workshop,
  table: OwnedTable,
  lines: readonly MatrixLine[],
): Promise<Pick<AttemptPlan, "attempts" | "notTried">> {
  const { label, grants, key } = table;
  const nothing = (reason: string) => ({ attempts: [], notTried: [{ name: label, reason }] });
  if (!key.every((column) => grants.select.includes(column))) {
    return nothing("users may not read its key");
  }
  const user = randomUUID();
  const made = await makeUser(workshop, user);
  if (made instanceof Refusal) return nothing(`no user can be made up: ${made.reason}`);
  const isUsers = table === workshop.tables.users;
  const row = isUsers ? made : await makeRow(workshop, table, user);
  if (row instanceof Refusal) return nothing(`no made-up row meets its constraints: ${row.reason}`);
  const change = await findChange(workshop, table, row.row);
  const missing = missingGrants(table, row.granted, change);
  const context = { table, missing };
  return {
    attempts: lines.flatMap((line) => attemptBy(line, context)),
    notTried: lines.flatMap((line) => notTriedBy(line, context)),
  };
}

type Missing = Partial<Record<NonNullable<MatrixLine["needs"]>, string>>;

/** Why what a line needs is not there. */
function missingGrants(
  { grants, id }: OwnedTable,
  insertable: boolean,
  change: Change | Refusal,
): Missing {
  const noInsert = insertable ? undefined : "users may not write the columns that a row needs";
  const noId = grants.insert.includes(id) ? noInsert : "users may not choose the id";
  return {
    ...(noInsert === undefined ? {} : { insert: noInsert }),
    ...(noId === undefined ? {} : { "insert of the id": noId }),
    ...(change instanceof Refusal ? { update: change.reason } : {}),
    ...(grants.delete ? {} : { delete: "users may not delete its rows" }),
  };
}

interface Context {
  readonly table: OwnedTable;
  readonly missing: Missing;
}

/** What is possible only with a grant is skipped; what others try must then be refused. */
function isSkipped({ needs, actor }: MatrixLine, { table, missing }: Context): boolean {
  if (needs === undefined || missing[needs] === undefined) return false;
  if (actor === "owner" || needs === "insert of the id") return true;
  return needs === "update" && table.grants.update.length > 0;
}

function attemptBy(line: MatrixLine, context: Context): TwoUserAttempt[] {
  if (isSkipped(line, context)) return [];
  const { table, missing } = context;
  const { actor, request, needs } = line;
  const lacking = needs !== undefined && missing[needs] !== undefined;
  return [
    {
      name: `${table.label}: ${line.what}`,
      table: table.label,
      actor,
      request,
      expected: lacking ? withoutGrant : line.expected,
      likeAbsent: line.likeAbsent ?? false,
    },
  ];
}

function notTriedBy(line: MatrixLine, context: Context): NotTried[] {
  const reason = line.needs && context.missing[line.needs];
  if (!isSkipped(line, context) || reason === undefined) return [];
  return [{ name: `${context.table.label}: ${line.what}`, reason }];
}
