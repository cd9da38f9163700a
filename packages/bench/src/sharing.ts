import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { signToken } from "rowhouse";
import { withStack } from "./database.ts";
import { type Summary, sampleVariants, type Variant } from "./sample.ts";

// `npm run sharing --workspace bench`: what a page costs of lists that a user shares with 19 others each, and
// of what is on these lists, beside a page of notes that are theirs alone.

const teams = join(import.meta.dirname, "../../../examples/teams");
const fill = readFileSync(join(import.meta.dirname, "sharing.sql"), "utf8");
const hex = createHash("md5").update("user 7").digest("hex");
const user = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** What the pages are of, each in the order of its key. */
const pages = {
  notes: { columns: "id,title,created_at,updated_at", order: ["id"] },
  lists: { columns: "id,title,created_at,updated_at", order: ["id"] },
  list_items: { columns: "id,title,created_at,updated_at", order: ["list_id", "id"] },
};
type Table = keyof typeof pages;
const tables = Object.keys(pages) as Table[];

function statement(table: Table): string {
  const { columns, order } = pages[table];
  const by = order.map((column) => `${column} desc`).join(", ");
  return `select ${columns} from api.${table} order by ${by} limit`;
}

/** Asks for a page of 50, as the client does. */
function ask(url: string, token: string, table: Table): Variant {
  const headers = { Authorization: `Bearer ${token}` };
  const { columns, order } = pages[table];
  const by = order.map((column) => `${column}.desc`).join(",");
  const page = `${url}/${table}?select=${columns}&order=${by}&limit=50`;
  return async () => {
    const response = await fetch(page, { headers });
    const rows = (await response.json()) as unknown[];
    return response.ok && rows.length === 50 ? undefined : `HTTP${response.status}`;
  };
}

/** PostgREST serves a new table once it has heard of it. */
async function waitFor(variant: Variant): Promise<void> {
  while ((await variant()) !== undefined) await delay(100);
}

/** Lets the pages take turns. */
function sample(variant: (table: Table) => Variant): Promise<Record<Table, Summary>> {
  const variants = Object.fromEntries(tables.map((table) => [table, variant(table)]));
  return sampleVariants(variants as Record<Table, Variant>, 200, signal);
}

function format(
  place: string,
  { notes, lists, list_items: items }: Record<Table, Summary>,
): string {
  const failed = [notes, lists, items].find(({ failures }) => failures > 0);
  if (failed !== undefined) throw new Error(`${place}: ${failed.failure}`);
  const cells = [notes, lists, items].map(({ medianMs }) => medianMs.toFixed(2));
  const ratios = [lists, items].map(({ medianMs }) => (medianMs / notes.medianMs).toFixed(2));
  return `| ${[place, ...cells, ...ratios].join(" | ")} |`;
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const signal = new AbortController().signal;

await withStack(
  false,
  (line) => process.stderr.write(`${line}\n`),
  async ({ stack, settings }) => {
    const client = new pg.Client({ connectionString: stack.databaseUrl });
    await client.connect();
    try {
      await client.query(fill);
      await client.query(
        "vacuum (analyze) api.users, api.lists, api.lists_members, api.list_items, api.notes",
      );
      const token = signToken(settings, { id: user, email: "user7@example.com" });
      await waitFor(ask(stack.apiUrl, token, "notes"));
      const http = await sample((table) => ask(stack.apiUrl, token, table));
      await client.query("begin");
      await client.query("select set_config('request.jwt.claims', $1, true)", [
        JSON.stringify({ role: "authenticated", sub: user }),
      ]);
      await client.query("set local role authenticated");
      const planned = await sample((table) => async () => {
        const { rows } = await client.query(`${statement(table)} 50`);
        return rows.length === 50 ? undefined : `${rows.length} rows`;
      });
      // As PostgREST does: the limit is a parameter of a statement that is planned once.
      await client.query("set local plan_cache_mode = force_generic_plan");
      const prepared = await sample((table) => async () => {
        const { rows } = await client.query({
          name: table,
          text: `${statement(table)} $1`,
          values: [50],
        });
        return rows.length === 50 ? undefined : `${rows.length} rows`;
      });
      print("| 50 rows, median in ms | notes | lists | items | lists / notes | items / notes |");
      print("| --- | ---: | ---: | ---: | ---: | ---: |");
      print(format("over HTTP, through PostgREST", http));
      print(format("the statement alone, planned each time", planned));
      print(format("the statement alone, prepared", prepared));
      for (const table of tables) {
        print("");
        await client.query(`prepare ${table}_page (bigint) as ${statement(table)} $1`);
        const { rows } = await client.query(
          `explain (analyze, costs off, timing off, summary off) execute ${table}_page (50)`,
        );
        for (const line of rows) print(line["QUERY PLAN"]);
      }
      await client.query("rollback");
    } finally {
      await client.end();
    }
  },
  teams,
);
