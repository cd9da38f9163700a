import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Caller, signIn } from "../../src/testing/api.ts";
import type { TestRow } from "../../src/testing/backend.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "../edge/edge.ts";

/** One cell: its database, and its PostgREST. */
export interface Cell {
  readonly databaseUrl: string;
  readonly postgrest: Postgrest;
  /** Runs SQL as superuser. */
  readonly sql: (text: string, values?: unknown[]) => Promise<TestRow[]>;
}

/** Two cells behind an edge. */
export interface Cells {
  readonly edge: Edge;
  readonly a: Cell;
  readonly b: Cell;
  /** The map file of the edge. */
  readonly map: string;
  /** The socket of the edge. */
  readonly socket: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts two cells, of which each has half of the buckets; stop them in afterAll.
 *
 * @param prepare SQL for both databases.
 */
export async function startCells(prepare = ""): Promise<Cells> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-cells-"));
  const map = join(dir, "cells.map");
  const buckets = Array.from({ length: 1024 }, (_, i) => `bucket/${i} ${i < 512 ? "a" : "b"}\n`);
  writeFileSync(map, buckets.join(""));
  const [a, b] = await Promise.all([startCell(prepare), startCell(prepare)]);
  const edge = await startEdge({
    apis: [],
    scale: "cells.haproxy.cfg",
    hosts: { postgrest: [a.postgrest.address], postgrest_b: [b.postgrest.address] },
    variables: { EDGE_CELLS: map },
  });
  const bothUp = async () => {
    const stat = await edge.command("show stat");
    return /^cell_a,a\d,.*,UP,/m.test(stat) && /^cell_b,b\d,.*,UP,/m.test(stat);
  };
  while (!(await bothUp()));
  return {
    edge,
    a,
    b,
    map,
    socket: edge.socket,
    stop: async () => {
      await edge.stop();
      await Promise.all([a.stop(), b.stop()]);
      rmSync(dir, { recursive: true });
    },
  };
}

async function startCell(prepare: string) {
  const databaseUrl = await cloneDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(prepare);
  const postgrest = await startPostgrest(databaseUrl);
  return {
    databaseUrl,
    postgrest,
    sql: async (text: string, values?: unknown[]) =>
      (await client.query<TestRow>(text, values)).rows,
    stop: async () => {
      await postgrest.stop();
      await client.end();
    },
  };
}

/** Signs users in until there is one in that cell. */
export async function signInTo(cells: Cells, cell: "a" | "b"): Promise<Caller> {
  for (;;) {
    const user = await signIn(cells.edge);
    if ((await rowsOf(cells[cell], user)).users === 1) return user;
  }
}

/** How many rows a cell has of a user. */
export async function rowsOf({ sql }: Cell, { id }: { id: string }) {
  const [row] = await sql(
    `select (select count(*)::int from api.users where id = $1) as users,
      (select count(*)::int from api.tasks where user_id = $1) as tasks`,
    [id],
  );
  return { users: Number(row?.users), tasks: Number(row?.tasks) };
}
