import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import { openProject } from "../../lib/project.ts";
import { readApiNames } from "../../stack/api-names.ts";
import { readOwnerColumns } from "../model/owner-columns.ts";
import { calledFunctions, readCalledMutants } from "./called.ts";
import { type Mutant, mutantTitle } from "./mutant.ts";
import { type Policy, policyMutants } from "./policies.ts";
import { type View, viewMutants } from "./views.ts";

const dir = import.meta.dirname;
const columns =
  "kind, object, sql, to_jsonb(made) ->> 'undo' as undo, to_jsonb(made) ->> 'equivalent' as equivalent";
const readQuery = (path: string) => readFileSync(join(dir, path), "utf8");

/**
 * Every mutant of a database, from its catalog: of all that is in a schema of ours, made by us; of the
 * platform's tables the policies alone. It leaves nothing behind but an empty search path.
 */
export async function generateMutants(
  client: pg.ClientBase,
  project = openProject(),
): Promise<Mutant[]> {
  const { schemas, anonymous, user, roles, logins, usersTable } = await readApiNames(
    client,
    project,
  );
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set search_path = ''");
  const owners = await readOwnerColumns(client, { usersTable });
  const values = [
    schemas,
    anonymous ?? null,
    user ?? null,
    roles,
    logins,
    owners.relations,
    owners.numbers,
  ] as const;
  const readFrom = async <T extends pg.QueryResultRow>(
    query: string,
    list: string,
    foreign: readonly string[],
  ) => (await client.query<T>(onlyMade(query, list), [...values, foreign])).rows;
  const read = <T extends pg.QueryResultRow>(query: string, list = "*") =>
    readFrom<T>(query, list, project.platform.schemas);
  const policies = await readFrom<Policy>(readQuery("policies.sql"), "*", []);
  const mutants = policies.flatMap(policyMutants);
  mutants.push(...(await readCalledMutants(client, () => read(calledFunctions))));
  mutants.push(...(await read<View>(readQuery("views.sql"))).flatMap(viewMutants));
  for (const file of readdirSync(join(dir, "kinds")).sort())
    mutants.push(...(await read<Mutant>(readQuery(join("kinds", file)), columns)));
  return mutants;
}

/**
 * What extensions bring along is not ours to test, nor are the schemas that come with a server. The
 * queries read who PostgREST serves in `api`, and the columns of owners in `owner_column`.
 */
function onlyMade(query: string, columns: string): string {
  return `
    with api (schemas, anonymous, user_role, roles, logins) as (
      values ($1::text[], $2::text, $3::text, $4::text[], $5::text[])
    ),
    owner_column (relation, number) as (
      select relation, number
      from unnest($6::oid[], $7::int2[]) as given (relation, number)
    )
    select ${columns}
    from (${query}) as made
    where namespace is null
    or namespace::regnamespace::text !~ '^(pg_|information_schema$|tap$)'
    and (namespace::regnamespace::text <> 'public' or 'public' = any (array(select unnest(schemas) from api)))
    and (namespace is null or namespace::regnamespace::text <> all ($8::text[]))
    and not exists (select from pg_catalog.pg_depend as member where member.objid = made.oid and member.deptype = 'e')
  `;
}

/**
 * The mutants whose object or kind has a text in it, in any case; all of them without one.
 *
 * @throws RowhouseError no_mutants
 */
export function selectMutants(mutants: readonly Mutant[], only = ""): Mutant[] {
  const wanted = only.toLowerCase();
  const selected = mutants.filter((mutant) => mutantTitle(mutant).toLowerCase().includes(wanted));
  if (selected.length > 0) return selected;
  throw new RowhouseError(
    "no_mutants",
    only === "" ? "There is nothing to weaken." : `No mutant's object or kind has "${only}" in it.`,
    "`npx rowhouse mutants --list` prints them all, each under its object and kind.",
  );
}
