import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generateTypescript, introspect, sortGeneratorMetadata } from "@supabase/postgrest-typegen";
import { openProject } from "../lib/project.ts";
import { withClient } from "../stack/database.ts";
import { readPostgrestConf } from "../stack/postgrest-conf.ts";

/**
 * The TypeScript file that binds the client to a database: the `Database` type of postgrest-js, and
 * what the client must know of each table at run time.
 *
 * @param schemas Those that PostgREST serves, the default one first.
 */
export async function generateTypes(
  url: string,
  schemas = readPostgrestConf(openProject().postgrestConf).schemas,
): Promise<string> {
  return withClient(url, async (client) => {
    // It asks several things at once, and a connection takes one after the other.
    let turn: Promise<unknown> = Promise.resolve();
    const query = (sql: string) => {
      const answer = turn.then(() => client.query(sql));
      turn = answer;
      return answer;
    };
    const metadata = await introspect({ query }, { includedSchemas: [...schemas] });
    const types = await generateTypescript(sortGeneratorMetadata(metadata), {
      postgrestVersion: "12",
      defaultSchema: schemas[0] ?? "public",
    });
    const tablesSql = readFileSync(join(import.meta.dirname, "client_tables.sql"), "utf8");
    const { rows } = await client.query<TableRow>(tablesSql, [schemas[0]]);
    return [
      "// Written by `npx rowhouse types` from the database: do not edit.",
      types.trimEnd(),
      "",
      "/** What the client must know of each table: see TableInfo of @rowhouse/client. */",
      "export const tables = {",
      ...rows.map(formatTable),
      "} as const;",
      "",
    ].join("\n");
  });
}

/** A row of client_tables.sql. */
interface TableRow {
  readonly name: string;
  readonly key: string[];
  readonly owner: string | null;
  readonly nullable: string[];
  readonly unsafe_numbers: string[];
}

function formatTable({ name, key, owner, nullable, unsafe_numbers }: TableRow): string {
  const info = { key, owner, nullable, unsafeNumbers: unsafe_numbers };
  const lines = Object.entries(info).map(
    ([field, value]) => `    ${field}: ${formatValue(value)},`,
  );
  const property = /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
  return [`  ${property}: {`, ...lines, "  },"].join("\n");
}

function formatValue(value: string | null | string[]): string {
  return Array.isArray(value)
    ? `[${value.map((one) => JSON.stringify(one)).join(", ")}]`
    : JSON.stringify(value);
}
