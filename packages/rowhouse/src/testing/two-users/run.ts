import { randomInt, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type Answer, type Caller, caller } from "../caller.ts";
import {
  type AttemptPlan,
  type NotTried,
  planAttempts,
  type TwoUserAttempt,
  withWorkshop,
} from "./attempts.ts";
import { absentId } from "./candidates.ts";
import type { Actor, Body, Filter } from "./matrix.ts";
import {
  findChange,
  type MadeUpRow,
  makeRow,
  makeUser,
  Refusal,
  type Row,
  type Workshop,
} from "./rows.ts";
import type { OwnedTable } from "./tables.ts";

/** An API, and the database that it serves. */
export interface ServedDatabase {
  readonly url: string;
  /** The database, as a role that row-level security does not hold. */
  readonly databaseUrl: string;
  /** A token that the API accepts for a user, with the role of users' tokens. */
  readonly tokenFor: (user: string, role: string) => string;
}

/** The attempts of two users on a database. */
export interface TwoUserAttempts {
  readonly attempts: readonly TwoUserAttempt[];
  /** The tables and attempts that are left out, each with the reason. */
  readonly notTried: readonly NotTried[];
  /**
   * Makes up two users with a row each, and lets an attempt come to pass: they stay in the database.
   *
   * @returns What was not as expected, a line each.
   */
  readonly run: (attempt: TwoUserAttempt) => Promise<string[]>;
}

/**
 * The two-user matrix for every owned table of a database: what the owner of a row, another user and
 * an anonymous caller try on it over HTTP, and what has to come of each attempt.
 */
export async function planTwoUserAttempts(served: ServedDatabase): Promise<TwoUserAttempts> {
  const plan = await planAttempts(served.databaseUrl);
  const { attempts, notTried } = plan;
  return { attempts, notTried, run: (attempt) => runAttempt(served, plan, attempt) };
}

/** Two users, their rows, and what the actor sends. */
interface Scene {
  readonly table: OwnedTable;
  readonly attempt: TwoUserAttempt;
  readonly owner: string;
  readonly other: string;
  /** The request, about the owner and the owner's row. */
  readonly request: ActorRequest;
  /** The same about an owner and a row that are not there; undefined when none can be named. */
  readonly absent: ActorRequest | undefined;
  /** The role of the users' tokens. */
  readonly role: string;
}

/** What is sent, and by whom. */
interface ActorRequest {
  /** The id of the user; undefined for an anonymous caller. */
  readonly user: string | undefined;
  readonly target: Target;
  readonly body: Row | undefined;
}

/** Whom and what a request is about. */
interface Target {
  readonly owner: string;
  readonly id: unknown;
}

async function runAttempt(
  served: ServedDatabase,
  plan: AttemptPlan,
  attempt: TwoUserAttempt,
): Promise<string[]> {
  const table = [...plan.tables.owned, ...(plan.tables.users ? [plan.tables.users] : [])].find(
    ({ label }) => label === attempt.table,
  );
  if (table === undefined) return [`${attempt.name}: there is no such table`];
  const scene = await withWorkshop(
    served.databaseUrl,
    "commit",
    (workshop) => setScene(workshop, table, attempt),
    { tables: plan.tables },
  );
  if (scene instanceof Refusal) return [`${attempt.name}: no row can be made up: ${scene.reason}`];
  return act(served, scene);
}

/** Makes up two users with a row each; a user who has to create one of their own has none yet. */
async function setScene(
  workshop: Workshop,
  table: OwnedTable,
  attempt: TwoUserAttempt,
): Promise<Scene | Refusal> {
  const [owner, other] = [randomUUID(), randomUUID()];
  const { actor, request } = attempt;
  const creator = createsOwn(request.body) ? actor : undefined;
  const ownerRow = await makeSubject(workshop, table, owner, creator !== "owner");
  if (ownerRow instanceof Refusal) return ownerRow;
  const otherRow = await makeSubject(workshop, table, other, creator !== "other");
  if (otherRow instanceof Refusal) return otherRow;
  const user = { owner, other, anonymous: undefined }[actor];
  const compose = async (sender: string | undefined, target: Target): Promise<ActorRequest> => ({
    user: sender,
    target,
    body: await composeBody(workshop, table, request.body, { sender, target, row: ownerRow.row }),
  });
  const absent = attempt.likeAbsent ? absentTarget(table) : undefined;
  return {
    table,
    attempt,
    owner,
    other,
    role: workshop.tables.role ?? "",
    request: await compose(user, { owner, id: ownerRow.row[table.id] }),
    absent: absent && (await compose(await standIn(workshop, creator, user), absent)),
  };
}

/** A user who created a row may have no second one: then another one asks for the absent one. */
async function standIn(
  workshop: Workshop,
  creator: Actor | undefined,
  user: string | undefined,
): Promise<string | undefined> {
  if (creator === undefined) return user;
  const another = randomUUID();
  await makeUser(workshop, another);
  return another;
}

function createsOwn(body: Body | undefined): boolean {
  return body === "new row" || body === "new row with the row's id";
}

function absentTarget(table: OwnedTable): Target | undefined {
  const column = table.columns.find(({ name }) => name === table.id);
  const id = column && absentId(column, randomInt(1, 1_000_000_000));
  // In the table of users both are one.
  const owner = table.owner === table.id ? String(id) : randomUUID();
  return id === undefined ? undefined : { owner, id };
}

/** A user, and a row of theirs if wanted; in the table of users the user is the row. */
async function makeSubject(
  workshop: Workshop,
  table: OwnedTable,
  user: string,
  withRow: boolean,
): Promise<MadeUpRow | Refusal> {
  const made = await makeUser(workshop, user);
  const isUsers = table.owner === table.id;
  if (made instanceof Refusal || isUsers || !withRow) return made;
  return makeRow(workshop, table, user);
}

/** Who sends a body, about whom and what. */
interface BodyContext {
  readonly sender: string | undefined;
  readonly target: Target;
  /** The owner's row. */
  readonly row: Row;
}

async function composeBody(
  workshop: Workshop,
  table: OwnedTable,
  body: Body | undefined,
  { sender, target, row }: BodyContext,
): Promise<Row | undefined> {
  const { owner, id } = table;
  const draft = (user: string | undefined) => draftRow(workshop, table, user ?? target.owner);
  switch (body) {
    case undefined:
      return undefined;
    case "new row":
      return draft(sender);
    case "new row with the row's id":
      return { ...(await draft(sender)), [id]: target.id };
    case "new row of the owner":
      return { ...(await draft(target.owner)), [owner]: target.owner };
    case "the row":
      return { ...(await draft(target.owner)), [owner]: target.owner, [id]: target.id };
    case "the owner":
      return { [owner]: target.owner };
    case "change": {
      const change = await findChange(workshop, table, row);
      // Without one the request is refused whatever it writes.
      return change instanceof Refusal
        ? { [owner]: target.owner }
        : { [change.column]: change.value };
    }
  }
}

/** A row that the constraints accept and that is not there. */
async function draftRow(workshop: Workshop, table: OwnedTable, user: string): Promise<Row> {
  if (table.owner === table.id) return { [table.id]: user };
  const draft = await makeRow(workshop, table, user, false);
  // There is none of a user who may have one row alone: what is refused needs none.
  return draft instanceof Refusal ? { [table.owner]: user } : draft.given;
}

async function act(served: ServedDatabase, scene: Scene): Promise<string[]> {
  const { attempt, owner, table, request, absent } = scene;
  const list = pathOf(table, `${equals(table.owner, owner)}&order=${parameter(table.id)}`);
  const headers = profileHeaders(table, "GET");
  const readOwners = () => callerFor(served, scene, owner).ask(list, { headers });
  const before = await readOwners();
  const answer = await send(served, scene, request);
  const faults = faultsOf(answer, scene);
  if (attempt.actor !== "owner") faults.push(...compareRows(before, await readOwners()));
  if (absent !== undefined) {
    const hidden = shown(answer, request.target);
    const missing = shown(await send(served, scene, absent), absent.target);
    if (hidden !== missing)
      faults.push(`it answers ${hidden}, and ${missing} where no such row is`);
  }
  return faults.map((fault) => `${attempt.name}: ${fault}`);
}

/** What happened to the owner's rows. Two answers without rows are no proof that nothing did. */
function compareRows(before: Answer, after: Answer): string[] {
  const failed = [before, after].find(({ status, body }) => status !== 200 || !Array.isArray(body));
  if (failed !== undefined)
    return [
      `the owner's rows cannot be read: ${describe(failed.status, getCode(failed), undefined)}`,
    ];
  return isDeepStrictEqual(after.body, before.body) ? [] : ["the owner's rows were changed"];
}

function callerFor(
  served: ServedDatabase,
  { role }: Pick<Scene, "role">,
  user: string | undefined,
): Caller {
  return user === undefined ? caller(served) : caller(served, served.tokenFor(user, role), user);
}

function equals(column: string, value: unknown): string {
  return `${parameter(column)}=eq.${encodeURIComponent(String(value))}`;
}

/** The name of a column in an address: in quotes, since it may have any sign in it. */
function parameter(column: string): string {
  return encodeURIComponent(quoted(column));
}

function quoted(column: string): string {
  return `"${column.replace(/["\\]/g, "\\$&")}"`;
}

/** How a request names a schema that is not the default one. */
function profileHeaders({ profile }: OwnedTable, method: string): Record<string, string> {
  if (profile === undefined) return {};
  return method === "GET" ? { "accept-profile": profile } : { "content-profile": profile };
}

function send(
  served: ServedDatabase,
  { table, attempt, role }: Scene,
  { user, target, body }: ActorRequest,
): Promise<Answer> {
  const { method, filter, returned, merged } = attempt.request;
  const filters: Record<Filter, string> = {
    "the row": equals(table.id, target.id),
    "the owner's rows": equals(table.owner, target.owner),
    "all rows": "",
  };
  const prefer = [
    `return=${returned ? "representation" : "minimal"}`,
    ...(merged ? ["resolution=merge-duplicates"] : []),
  ].join(", ");
  const path = pathOf(table, filter ? filters[filter] : "", method === "GET" || returned);
  const headers = { ...profileHeaders(table, method), ...(method === "GET" ? {} : { prefer }) };
  return callerFor(served, { role }, user).ask(path, { method, headers, body });
}

/** What is read are the columns that may be: else PostgreSQL refuses all of them. */
function pathOf({ name, grants }: OwnedTable, filter: string, reads = true): string {
  const columns = grants.select.map(quoted).join(",");
  const parts = [
    ...(reads ? [`select=${encodeURIComponent(columns)}`] : []),
    ...(filter ? [filter] : []),
  ];
  return `/${encodeURIComponent(name)}${parts.length > 0 ? "?" : ""}${parts.join("&")}`;
}

/** The code of an error in a body. */
function getCode({ body }: Answer): unknown {
  return (body as { code?: unknown } | undefined)?.code;
}

function faultsOf(answer: Answer, { attempt, table, owner, other }: Scene): string[] {
  const { status, body } = answer;
  const { expected, actor } = attempt;
  const rows: Row[] | undefined = Array.isArray(body) ? body : undefined;
  const code = getCode(answer);
  const asExpected =
    status === expected.status &&
    (expected.code === undefined || code === expected.code) &&
    (expected.rows === undefined || rows?.length === expected.rows);
  const faults = asExpected
    ? []
    : [
        `answered ${describe(status, code, rows?.length)}, not ${describe(expected.status, expected.code, expected.rows)}`,
      ];
  const me = actor === "owner" ? owner : other;
  const foreign = rows?.filter((row) => row[table.owner] !== me).length ?? 0;
  return foreign === 0 ? faults : [...faults, `the answer holds ${foreign} rows of others`];
}

function describe(status: number, code: unknown, rows: number | undefined): string {
  return [
    String(status),
    ...(code === undefined ? [] : [` (${code})`]),
    ...(rows === undefined ? [] : [` with ${rows} ${rows === 1 ? "row" : "rows"}`]),
  ].join("");
}

/** The headers that may tell whether a row is there. */
const telling = [
  "content-range",
  "preference-applied",
  "content-type",
  "content-location",
  "location",
  "www-authenticate",
];

/** An answer without the ids in which two that are alike differ. */
function shown({ status, headers, body }: Answer, { owner, id }: Target): string {
  const named = telling.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)]] : []));
  const text = JSON.stringify({ headers: Object.fromEntries(named), body });
  return `${status} ${without(without(text, owner, "<owner>"), String(id), "<id>")}`;
}

/** A text with a word in the place of a value, also where that stands as in an address. */
function without(text: string, value: string, word: string): string {
  return [value, encodeURIComponent(value)].reduce((shortened, one) => {
    const escaped = one.replace(/[^\w-]/g, "\\$&");
    return shortened.replace(new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, "g"), word);
  }, text);
}
