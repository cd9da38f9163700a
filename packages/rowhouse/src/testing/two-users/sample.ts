import { randomUUID } from "node:crypto";
import pg from "pg";
import { withWorkshop } from "./attempts.ts";
import { makeRow, makeUser, Refusal, type Row, type Workshop } from "./rows.ts";
import { type OwnedTable, sqlName } from "./tables.ts";

/** A request that a user's token can make: a row to create, or without one a table to read. */
export interface SampleRequest {
  /** Without its schema. */
  readonly table: string;
  readonly row: Row | undefined;
}

/**
 * Finds a request that a database's API answers well: the creation of a made-up row in the first
 * owned table that takes one, or else the first table that users may read. Nothing stays in the
 * database.
 *
 * @param url The database, as its owner.
 * @param tries Whether rows may be made for that and taken back: triggers run, and sequences go on.
 * @returns undefined when users may read no table.
 */
export async function findSampleRequest(
  url: string,
  tries = true,
): Promise<SampleRequest | undefined> {
  // Nothing has to differ from other rows: a plain text is nicer to read.
  const plain = { nextSeed: () => 0 };
  return withWorkshop(
    url,
    "rollback",
    async (workshop) => {
      const { owned, all, exposedSchemas } = workshop.tables;
      // Those of another schema want a header, too.
      for (const table of tries ? owned.filter(({ profile }) => profile === undefined) : []) {
        const row = await sampleRow(workshop, table);
        if (row !== undefined) return { table: table.name, row };
      }
      const readable = all.find(
        ({ schema, grants }) => schema === exposedSchemas[0] && grants.select.length > 0,
      );
      return readable && { table: readable.name, row: undefined };
    },
    plain,
  );
}

/** A row that any user can create as it is: it names no user, and refers to no other row. */
async function sampleRow(workshop: Workshop, table: OwnedTable): Promise<Row | undefined> {
  const owner = table.columns.find(({ name }) => name === table.owner);
  if (!owner?.hasDefault) return undefined;
  await workshop.client.query("savepoint sample");
  try {
    const user = randomUUID();
    if ((await makeUser(workshop, user)) instanceof Refusal) return undefined;
    const made = await makeRow(workshop, table, user, false);
    if (made instanceof Refusal || !made.granted || made.refers) return undefined;
    const { [table.owner]: _, ...row } = made.given;
    return (await isAccepted(workshop, table, row)) ? row : undefined;
  } finally {
    await workshop.client.query("rollback to savepoint sample");
  }
}

/** Whether a user may create a row: as the role and with the claims that a request has. */
async function isAccepted(
  { client, tables }: Workshop,
  table: OwnedTable,
  row: Row,
): Promise<boolean> {
  const columns = Object.keys(row).map((name) => pg.escapeIdentifier(name));
  const list = columns.join(", ");
  try {
    await client.query("select set_config('role', $1, true)", [tables.role]);
    await (columns.length === 0
      ? client.query(`insert into ${sqlName(table)} default values`)
      : client.query(
          `insert into ${sqlName(table)} (${list}) select ${list} from jsonb_populate_record(null::${sqlName(table)}, $1)`,
          [JSON.stringify(row)],
        ));
    return true;
  } catch {
    return false; // Whatever is in its way, a request would meet it, too.
  }
}
