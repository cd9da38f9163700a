import type pg from "pg";
import type { LintSettings } from "../../lib/lint-settings.ts";
import { readableName } from "../../lib/readable-name.ts";
import { readWaivers } from "../../lib/waivers.ts";
import { faultRuleNames } from "./fault.ts";

/** A comment with a waiver in it, on a table, or on a column or policy of one. */
interface Comment {
  readonly schema: string;
  readonly table: string;
  readonly part: string | null;
  readonly comment: string;
}

/** Reads which faults comments waive, as package.json would have it: by rule and object. */
export async function readFaultWaivers(
  client: pg.ClientBase,
  schemas: readonly string[],
): Promise<LintSettings> {
  const { rows } = await client.query<Comment>(
    `select nspname as schema, relname as table, part, comment
     from pg_catalog.pg_class as class
     join pg_catalog.pg_namespace as namespace on namespace.oid = relnamespace
     cross join lateral (
       select null::name as part, obj_description(class.oid, 'pg_class') as comment
       union all
       select attname, col_description(attrelid, attnum)
       from pg_catalog.pg_attribute
       where attrelid = class.oid and attnum > 0 and not attisdropped
       union all
       select polname, obj_description(oid, 'pg_policy')
       from pg_catalog.pg_policy
       where polrelid = class.oid
     ) as part
     where nspname = any ($1::text[]) and comment ~* '(^|\\n)\\s*lint:'`,
    [schemas],
  );
  const objects = rows.map(({ schema, table, part, comment }) => ({
    name: [schema, table, ...(part === null ? [] : [part])].map(readableName).join("."),
    comment,
  }));
  return readWaivers(objects, faultRuleNames).waivers;
}
