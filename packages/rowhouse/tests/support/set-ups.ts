import { randomly } from "../../src/testing/random.ts";
import { alice, bob } from "./people.ts";

/** The columns of the table that a set-up is about, api.subject. */
export const columns = ["id", "user_id", "mark"];

/** The ids of its rows: Alice's, Bob's, and one with nulls. */
export const ids = ["1", "2", "3"];

/** What an update changes, and what an insert sets. */
export type Values = Readonly<Record<string, string>>;

/** A small database, drawn at random: what stays, and two sets of rules for it. */
export interface SetUp {
  readonly structure: string;
  readonly rules: string;
  readonly otherRules: string;
  readonly patch: Values;
  readonly inserted: Values;
  /** Which share of the dearer requests is tried, from 0. */
  readonly share: number;
}

/** How many shares there are. */
export const shares = 4;

type Choose = <T>(choices: readonly T[]) => T;

/**
 * The set-up of a seed.
 *
 * @param canInherit Whether the server lets a membership inherit (PostgreSQL 16).
 */
export function randomSetUp(seed: number, canInherit: boolean): SetUp {
  const random = randomly(seed);
  const one: Choose = (choices) =>
    choices[Math.floor(random() * choices.length)] as (typeof choices)[number];
  const maybe = (likely: number, sql: string) => (random() < likely ? sql : "");
  const rules = () => ruleSql(one, maybe);
  return {
    structure: structureSql(one, maybe, canInherit),
    rules: rules(),
    otherRules: rules(),
    patch: one<Values>([{ mark: "b" }, { user_id: bob }, { mark: "a", user_id: alice }]),
    inserted: one<Values>([
      { id: "1" },
      { id: "4", mark: "b" },
      { id: "5", user_id: bob, mark: "a" },
      { id: "6", user_id: alice },
    ]),
    share: one([0, 1, 2, 3]),
  };
}

type Maybe = (likely: number, sql: string) => string;

/** The tables, their rows, and what conditions call and read. */
function structureSql(one: Choose, maybe: Maybe, canInherit: boolean): string {
  const secure = () => one(["security definer set search_path = ''", ""]);
  return `
    create role rowhouse_part nologin;
    ${maybe(0.6, `grant rowhouse_part to authenticated ${canInherit ? one(["with inherit true", "with inherit false"]) : ""};`)}
    grant usage on schema api to anonymous, authenticated, rowhouse_part;
    create table api.subject (
      id int default 9 primary key,
      user_id uuid default ${one(["request.user_id()", `'${alice}'`, "null"])},
      mark text default 'a'
    );
    create table api.other (id int, user_id uuid);
    create table private.hidden (id int);
    insert into api.subject values (1, '${alice}', 'a'), (2, '${bob}', 'b'), (3, null, null);
    insert into api.other values (1, '${bob}'), (2, '${alice}'), (3, null);
    insert into private.hidden values (1), (3);
    create view api.seen with (security_invoker = ${one(["true", "false"])}) as
      select id, user_id from api.other where id < 3;
    ${maybe(0.8, `grant select on api.seen to ${one(["anonymous", "authenticated", "public"])};`)}
    create view api.again with (security_invoker = ${one(["true", "false"])}) as
      select id from api.subject;
    grant select on api.again to public;
    create function private.refuses() returns boolean language sql as 'select true';
    create function private.asks(int) returns boolean language sql stable ${secure()}
      as 'select exists (select from api.other where other.id = $1)';
    create function private.knows(int) returns boolean language plpgsql stable ${secure()}
      as 'begin return exists (select from private.hidden where hidden.id = $1); end';
    grant execute on function private.asks, private.knows to public;
    ${["subject", "other"].map((table) => maybe(0.25, `alter table api.${table} owner to ${one(["authenticated", "rowhouse_part"])};`)).join("\n")}
  `;
}

function ruleSql(one: Choose, maybe: Maybe): string {
  return ["subject", "other"]
    .map((table) => tableRules({ one, maybe, table, cs: conditions(table) }))
    .join("");
}

function conditions(table: string): string[] {
  const own = [
    "true",
    "true",
    "false",
    "null::boolean",
    "user_id = request.user_id()",
    "user_id = request.user_id()",
    "user_id is distinct from request.user_id()",
    "request.user_id() is null",
    "request.claims() ->> 'team' = 'red'",
    "current_user = 'authenticated'",
    "pg_has_role('rowhouse_part', 'member')",
    "id > 1 or user_id is null",
  ];
  // True whatever the rows are: those in the way are deleted before a request is tried.
  const again = "0 not in (select again.id from api.again)";
  if (table === "other") return [...own, again];
  return [
    ...own,
    again,
    "tableoid = 'api.subject'::regclass",
    "ctid < '(9,0)'",
    "mark = 'a'",
    "mark <> 'a'",
    "not (mark = 'a')",
    "private.refuses()",
    "private.asks(id)",
    "private.knows(id)",
    "exists (select from api.other where other.id = subject.id)",
    "exists (select from api.other where other.id = subject.id and other.user_id = request.user_id())",
    "subject.id in (select seen.id from api.seen)",
    "id not in (select hidden.id from private.hidden)",
    "(select count(*) from api.seen) > 1 and mark is not null",
  ];
}

interface TableRules {
  readonly one: Choose;
  readonly maybe: Maybe;
  readonly table: string;
  readonly cs: readonly string[];
}

function tableRules({ one, maybe, table, cs }: TableRules): string {
  const named = table === "subject" ? columns : ["id", "user_id"];
  const roles = ["authenticated", "anonymous, authenticated", "public", "rowhouse_part"];
  const grant = (verb: string) => {
    const some = named.map((column) => maybe(0.8, column)).filter((column) => column !== "");
    const what = one([verb, some.length === 0 ? verb : `${verb} (${some.join(", ")})`]);
    return maybe(0.85, `grant ${what} on api.${table} to ${one(roles)};`);
  };
  const policies = Array.from({ length: one([0, 1, 2, 3, 4]) }, (_, index) =>
    policySql({ one, maybe, table, cs }, `policy_${index}`),
  );
  return `
    ${maybe(0.85, `alter table api.${table} enable row level security;`)}
    ${maybe(0.5, `alter table api.${table} force row level security;`)}
    ${["select", "select", "insert", "update"].map(grant).join("\n")}
    ${maybe(0.8, `grant delete on api.${table} to ${one(roles)};`)}
    ${policies.join("\n")}
  `;
}

function policySql({ one, table, cs }: TableRules, name: string): string {
  const verb = one(["all", "all", "select", "select", "insert", "update", "delete"]);
  const using = verb === "insert" ? "" : one([`using (${one(cs)})`, `using (${one(cs)})`, ""]);
  const check = ["insert", "update", "all"].includes(verb)
    ? one([`with check (${one(cs)})`, ""])
    : "";
  const kind = one(["permissive", "permissive", "permissive", "restrictive"]);
  const role = one(["public", "authenticated", "authenticated, anonymous", "rowhouse_part"]);
  return `create policy ${name} on api.${table} as ${kind} for ${verb} to ${role} ${using} ${check};`;
}
