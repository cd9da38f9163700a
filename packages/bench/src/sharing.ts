import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { signToken } from "rowhouse";
import { withStack } from "./database.ts";
import { type Summary, sampleVariants, type Variant } from "./sample.ts";

// `npm run sharing --workspace bench`: what a page of lists costs that a user shares with 19 others each,
// beside a page of notes that are theirs alone.

const teams = join(import.meta.dirname, "../../../examples/teams");
const fill = readFileSync(join(import.meta.dirname, "sharing.sql"), "utf8");
const hex = createHash("md5").update("user 7").digest("hex");
const user = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const tables = { shared: "lists", owned: "notes" };
const statement = (table: string) =>
  `select id, title, created_at, updated_at from api.${table} order by id desc limit 50`;

/** Asks for a page of 50, as the client does. */
function ask(url: string, token: string, table: string): Variant {
  const headers = { Authorization: `Bearer ${token}` };
  const page = `${url}/${table}?select=id,title,created_at,updated_at&order=id.desc&limit=50`;
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

function format(place: string, { shared, owned }: { shared: Summary; owned: Summary }): string {
  const cells = [owned.medianMs, shared.medianMs].map((ms) => ms.toFixed(2));
  const ratio = (shared.medianMs / owned.medianMs).toFixed(2);
  return `| ${place} | ${cells.join(" | ")} | ${ratio} |`;
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
      await client.query("vacuum (analyze) api.users, api.lists, api.lists_members, api.notes");
      const token = signToken(settings, { id: user, email: "user7@example.com" });
      const overHttp = {
        shared: ask(stack.apiUrl, token, tables.shared),
        owned: ask(stack.apiUrl, token, tables.owned),
      };
      await waitFor(overHttp.owned);
      const http = await sampleVariants(overHttp, 200, signal);
      await client.query("begin");
      await client.query("select set_config('request.jwt.claims', $1, true)", [
        JSON.stringify({ role: "authenticated", sub: user }),
      ]);
      await client.query("set local role authenticated");
      const inDatabase =
        (table: string): Variant =>
        async () => {
          const { rows } = await client.query(statement(table));
          return rows.length === 50 ? undefined : `${rows.length} rows`;
        };
      const database = await sampleVariants(
        { shared: inDatabase(tables.shared), owned: inDatabase(tables.owned) },
        200,
        signal,
      );
      const { rows: plan } = await client.query(
        `explain (analyze, costs off, timing off, summary off) ${statement(tables.shared)}`,
      );
      await client.query("rollback");
      print("| 50 rows, median in ms | owned | shared | shared / owned |");
      print("| --- | ---: | ---: | ---: |");
      print(format("over HTTP, through PostgREST", http));
      print(format("the statement alone", database));
      print("");
      for (const line of plan) print(line["QUERY PLAN"]);
    } finally {
      await client.end();
    }
  },
  teams,
);
