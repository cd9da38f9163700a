import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import { calledFunctions, readCalledMutants } from "./called.ts";
import { type Mutant, mutantTitle } from "./mutant.ts";
import { type Policy, policyMutants } from "./policies.ts";
import { type View, viewMutants } from "./views.ts";

const dir = import.meta.dirname;
const columns =
  "kind, object, sql, to_jsonb(made) ->> 'undo' as undo, to_jsonb(made) ->> 'equivalent' as equivalent";
const read = (path: string) => readFileSync(join(dir, path), "utf8");

/**
 * Every mutant of a database, from its catalog: of all that is in a schema of ours, made by us.
 * It leaves nothing behind but an empty search path.
 */
export async function generateMutants(client: pg.ClientBase): Promise<Mutant[]> {
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set search_path = ''");
  const policies = await client.query<Policy>(onlyMade(read("policies.sql"), "*"));
  const mutants = policies.rows.flatMap(policyMutants);
  mutants.push(...(await readCalledMutants(client, onlyMade(calledFunctions, "*"))));
  const views = await client.query<View>(onlyMade(read("views.sql"), "*"));
  mutants.push(...views.rows.flatMap(viewMutants));
  for (const file of readdirSync(join(dir, "kinds")).sort()) {
    const { rows } = await client.query<Mutant>(onlyMade(read(join("kinds", file)), columns));
    mutants.push(...rows);
  }
  return mutants;
}

/** What extensions bring along is not ours to test, nor are the schemas that come with a server. */
function onlyMade(query: string, columns: string): string {
  return `
    select ${columns}
    from (${query}) as made
    where namespace is null
    or namespace::regnamespace::text !~ '^(pg_|information_schema$|public$|tap$)'
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
