import type pg from "pg";
import type { Verb } from "../../src/access/model/model.ts";
import { errorCode } from "../../src/lib/errors.ts";
import { randomly } from "../../src/testing/random.ts";
import { alice } from "./people.ts";

/** What an update changes. */
export const change = { mark: "b" };

const columns = ["id", "user_id", "mark"];

/**
 * Tables of one row with random grants and policies. Their defaults are the row's own values, so
 * that an insert of the columns that are granted makes the same row again.
 *
 * @param likely How likely a column is to be granted.
 */
export function randomTables(
  seed: number,
  count: number,
  likely = 0.8,
): { sql: string; tables: string[] } {
  const random = randomly(seed);
  const tables = Array.from({ length: count }, (_, index) => `p${index}`);
  const sql = tables.map((table, index) => tableSql({ random, likely }, table, tables[index - 1]));
  return { sql: [hidden, ...sql].join("\n"), tables };
}

/** What only the owner can name, what no role may call, and the schema for all. */
const hidden = `
  grant usage on schema api to anonymous;
  create function private.refuses() returns boolean language sql as 'select true';
  create function private.agrees() returns boolean language plpgsql as 'begin return true; end';
  grant execute on function private.agrees to anonymous, authenticated;
`;

function tableSql(
  { random, likely }: { random: () => number; likely: number },
  table: string,
  other: string | undefined,
): string {
  const one = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;
  const some = () => columns.filter(() => random() < likely);
  const conditions = [
    "true",
    "false",
    "null::boolean",
    "user_id = request.user_id()",
    "request.user_id() is null",
    "mark <> 'a'",
    "mark = 'a'",
    "private.agrees()",
    "current_user = 'authenticated'",
    other === undefined
      ? "id = 1"
      : `exists (select from api.${other} where ${other}.id = ${table}.id)`,
    ...(random() < 0.2 ? ["private.refuses()"] : []),
  ];
  const grants = ["select", "insert", "update"].flatMap((verb) => {
    const granted = random() < 0.85 ? some() : [];
    return granted.length === 0 ? [] : [`${verb} (${granted.join(", ")})`];
  });
  const roles = one(["authenticated", "anonymous, authenticated", "anonymous"]);
  return `
    create table api.${table} (
      id int default 1,
      user_id uuid default '${alice}',
      mark text default 'a'
    );
    insert into api.${table} default values;
    ${table.endsWith("9") ? `alter table api.${table} owner to authenticated;` : ""}
    ${random() < 0.5 ? `alter table api.${table} force row level security;` : ""}
    ${random() < 0.85 ? `alter table api.${table} enable row level security;` : ""}
    ${[...grants, ...(random() < 0.8 ? ["delete"] : [])].map((grant) => `grant ${grant} on api.${table} to ${roles};`).join("\n")}
    ${Array.from({ length: Math.floor(random() * 7) }, (_, index) => policySql(one, `policy_${index}`, table, conditions)).join("\n")}
  `;
}

function policySql(
  one: <T>(choices: readonly T[]) => T,
  name: string,
  table: string,
  conditions: readonly string[],
): string {
  const verb = one(["all", "all", "select", "select", "insert", "update", "delete"]);
  const using =
    verb === "insert" ? "" : one([`using (${one(conditions)})`, `using (${one(conditions)})`, ""]);
  const checks = ["insert", "update", "all"].includes(verb);
  const check = checks ? one([`with check (${one(conditions)})`, ""]) : "";
  const kind = one(["permissive", "permissive", "permissive", "restrictive"]);
  const role = one(["public", "authenticated", "authenticated, anonymous", "anonymous"]);
  return `create policy ${name} on api.${table} as ${kind} for ${verb} to ${role} ${using} ${check};`;
}

interface Attempt {
  readonly table: string;
  readonly as: string;
  readonly verb: Verb;
  /** Those that the role may name, if any. */
  readonly columns: readonly string[] | null;
  /** Whether an update or delete says which row it means. */
  readonly filters: boolean;
}

/** What PostgreSQL does when someone tries: "yes" or "no". It is rolled back. */
export async function reality(client: pg.Client, attempt: Attempt): Promise<"yes" | "no"> {
  const claims =
    attempt.as === "anonymous"
      ? { role: "anonymous" }
      : { role: "authenticated", sub: alice, email: attempt.as };
  await client.query("begin");
  try {
    await client.query("select set_config('request.jwt.claims', $1, true)", [
      JSON.stringify(claims),
    ]);
    await client.query(`set local role ${claims.role}`);
    const { rowCount } = await client.query(statement(attempt));
    return rowCount === 1 ? "yes" : "no";
  } catch (error) {
    if (errorCode(error) === "42501") return "no";
    throw error;
  } finally {
    await client.query("rollback");
  }
}

/** What a request would run. */
function statement({ table, verb, columns: granted, filters }: Attempt): string {
  const filter = filters ? " where id = 1" : "";
  const named = granted === null || granted.length === 0 ? columns : granted;
  const value = { id: "1", user_id: `'${alice}'`, mark: "'a'" } as Record<string, string>;
  const values = named.map((column) => value[column]);
  if (verb === "select") return `select ${named.join(", ")} from api.${table}`;
  if (verb === "delete") return `delete from api.${table}${filter}`;
  if (verb === "insert") {
    return `insert into api.${table} (${named.join(", ")}) values (${values.join(", ")})`;
  }
  return `update api.${table} set mark = '${change.mark}'${filter}`;
}
