import {
  type GeneratorMetadata,
  generateTypescript,
  introspect,
  sortGeneratorMetadata,
} from "@supabase/postgrest-typegen";
import { openProject } from "../lib/project.ts";
import { readApiNames } from "../stack/api-names.ts";
import { withClient } from "../stack/database.ts";
import { readArgumentNames } from "./types/argument-order.ts";
import { formatTables, writeExactNumbers } from "./types/format.ts";
import { correctMetadata } from "./types/metadata.ts";
import { readRelations } from "./types/relations.ts";
import { describeTables } from "./types/table-info.ts";
import { readTypeKinds } from "./types/type-kinds.ts";

/**
 * The TypeScript file that binds the client to a database: the `Database` type of postgrest-js, and
 * what the client must know of each table at run time.
 *
 * @param served The schemas that PostgREST serves, the default one first; those of the project unless
 *   they are given.
 */
export async function generateTypes(url: string, served?: readonly string[]): Promise<string> {
  return withClient(url, async (client) => {
    const names = await readApiNames(client, openProject());
    const schemas = served ?? names.schemas;
    // It asks several things at once, and a connection takes one after the other.
    let turn: Promise<unknown> = Promise.resolve();
    const query = (sql: string) => {
      const answer = turn.then(() => client.query(sql));
      turn = answer;
      return answer;
    };
    const metadata = withoutDbmate(await introspect({ query }, { includedSchemas: [...schemas] }));
    const kinds = await readTypeKinds(client);
    const relations = await readRelations(client, names);
    const argumentNames = await readArgumentNames(client);
    const types = await generateTypescript(
      sortGeneratorMetadata(correctMetadata(metadata, kinds, relations, argumentNames)),
      { postgrestVersion: "12", defaultSchema: schemas[0] ?? "public" },
    );
    return [
      "// Written by `npx rowhouse types` from the database: do not edit.",
      writeExactNumbers(types).trimEnd(),
      "",
      "/** What the client must know of each table and view: see TableInfo of @rowhouse/client. */",
      "export const tables = {",
      ...formatTables(describeTables(relations, kinds, schemas[0])),
      "} as const;",
      "",
    ].join("\n");
  });
}

/** dbmate keeps its table in the schema public, which may be exposed; nothing declares it. */
function withoutDbmate(metadata: GeneratorMetadata): GeneratorMetadata {
  const isOurs = ({ schema, name }: { schema: string; name: string }) =>
    schema !== "public" || name !== "schema_migrations";
  return { ...metadata, tables: metadata.tables.filter(isOurs) };
}
