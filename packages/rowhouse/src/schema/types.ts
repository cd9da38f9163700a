import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generateTypescript, introspect, sortGeneratorMetadata } from "@supabase/postgrest-typegen";
import { withClient } from "../stack/database.ts";

/**
 * The TypeScript types of a database's API, as the client wants them: the `Database` type of
 * postgrest-js, and the names of the owned tables.
 */
export async function generateTypes(url: string): Promise<string> {
  return withClient(url, async (client) => {
    // It asks several things at once, and a connection takes one after the other.
    let turn: Promise<unknown> = Promise.resolve();
    const query = (sql: string) => {
      const answer = turn.then(() => client.query(sql));
      turn = answer;
      return answer;
    };
    const metadata = await introspect({ query }, { includedSchemas: ["api"] });
    const types = await generateTypescript(sortGeneratorMetadata(metadata), {
      postgrestVersion: "12",
      defaultSchema: "api",
    });
    const ownedTables = readFileSync(join(import.meta.dirname, "owned_tables.sql"), "utf8");
    const { rows } = await client.query<{ name: string }>(ownedTables);
    return [
      "// Written by `npx rowhouse types` from the database: do not edit.",
      types.trimEnd(),
      "",
      "/** The tables whose rows belong to a user each. */",
      `export const ownedTables = ${JSON.stringify(rows.map(({ name }) => name))} as const;`,
      "",
    ].join("\n");
  });
}
