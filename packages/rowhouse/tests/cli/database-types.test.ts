import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { generateTypes } from "../../src/schema/types.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";

const packageRoot = join(import.meta.dirname, "../..");

/** What tsc says of these lines beside the types of a database with these objects. */
async function compile(sql: string, lines: string): Promise<string> {
  const url = await cloneDatabase();
  await withClient(url, (client) => client.query(sql));
  const cache = join(packageRoot, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "types-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "database.types.ts"), await generateTypes(url));
  writeFileSync(
    join(dir, "check.ts"),
    `import type { Database } from "./database.types.ts";
export type Api = Database["api"];
export type Tables = Api["Tables"];
export type Views = Api["Views"];
export type Functions = Api["Functions"];
type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const yes = <T extends true>() => undefined as unknown as T;
${lines}
`,
  );
  const config = { extends: join(packageRoot, "tsconfig.json"), include: ["*.ts"] };
  writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(packageRoot, "../../node_modules/.bin/tsc");
  try {
    return execFileSync(tsc, ["--noEmit", "-p", dir], { encoding: "utf8" });
  } catch (error) {
    return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
  }
}

test("an exact number is read as a string, and written as either", async () => {
  const sql = `
    create domain api.amount as numeric(12, 2);
    create domain api.price as api.amount;
    create table api.items (
      id bigint primary key, price api.price, prices api.price[] not null, weights numeric[],
      total bigint generated always as (1) stored, count int not null
    );
    create table api."Row" ("Row" bigint not null, "Insert" bigint not null);
    create view api.cheap as select id, price, count + 1 as more from api.items where price < 1;
    create materialized view api.sums as select sum(price) as sum from api.items;`;
  expect(
    await compile(
      sql,
      `
      yes<Equal<Tables["items"]["Row"], {
        id: string; price: string | null; prices: string[]; weights: string[] | null;
        total: string | null; count: number;
      }>>();
      yes<Equal<Tables["items"]["Insert"], {
        id: string | number; price?: string | number | null; prices: (string | number)[];
        weights?: (string | number)[] | null; total?: never; count: number;
      }>>();
      yes<Equal<Tables["items"]["Update"], {
        id?: string | number; price?: string | number | null; prices?: (string | number)[];
        weights?: (string | number)[] | null; total?: never; count?: number;
      }>>();
      yes<Equal<Tables["Row"]["Row"], { Row: string; Insert: string }>>();
      yes<Equal<Tables["Row"]["Insert"], { Row: string | number; Insert: string | number }>>();
      yes<Equal<Views["cheap"]["Row"], { id: string; price: string | null; more: number | null }>>();
      yes<Equal<Views["cheap"]["Insert"], { id?: string | number | null; price?: string | number | null; more?: never }>>();
      yes<Equal<Views["sums"]["Row"], { sum: string | null }>>();`,
    ),
  ).toBe("");
});

test("what comes as a string has its type, also in domains and arrays", async () => {
  const sql = `
    create type api.mood as enum ('good', 'bad');
    create domain api.temper as api.mood;
    create domain api.label as varchar(10);
    create table api.texts (
      a name not null, b inet not null, c money not null, d int4range not null, e tsvector not null,
      f api.label not null, g api.label[] not null, h api.temper not null, i api.temper[] not null,
      j oid not null, k point not null, l jsonb not null
    );`;
  expect(
    await compile(
      sql,
      `
      type Text = Tables["texts"]["Row"];
      yes<Equal<Text["a" | "b" | "c" | "d" | "e" | "f" | "j"], string>>();
      yes<Equal<Text["g"], string[]>>();
      yes<Equal<Text["h"], "good" | "bad">>();
      yes<Equal<Text["i"], ("good" | "bad")[]>>();
      yes<Equal<Text["k"], unknown>>();`,
    ),
  ).toBe("");
});

test("a function takes and returns exact numbers as numbers or strings", async () => {
  const sql = `
    create domain api.price as numeric;
    create type api.pair as (a bigint, b int);
    create table api.items (id bigint primary key, n int);
    create function api.scalar(a bigint, b api.price[], c int, d numeric default 1)
      returns api.price language sql return 1;
    create function api.list(variadic a bigint[]) returns bigint[] language sql return a;
    create function api.numbers() returns setof bigint language sql as 'select 1::bigint';
    create function api.pairs(of_pair api.pair) returns setof api.pair language sql as 'select 1::bigint, 2';
    create function api.as_table(a int) returns table (n bigint, m int, p api.price[])
      language sql as 'select 1::bigint, 2, null::api.price[]';
    create function api.items_over(lowest bigint) returns setof api.items language sql
      as 'select * from api.items';
    create function api.one_item() returns api.items language sql as 'select * from api.items';
    create function api.outs(a int, out n bigint, inout m int default 1) language sql return (1, 2);
    create function api.single_out(out n bigint) language sql return 1;
    create function api.unnamed_outs(out bigint, out int) language sql return (1, 2);
    create function api.unnamed_out(out bigint) language sql return 1;
    create function api.row_out(out one api.items) language sql as 'select null::api.items';
    create function api.many_outs(out n bigint, out m int) returns setof record language sql as 'select 1::bigint, 2';
    create function api.weight(api.items) returns numeric language sql return 1;`;
  expect(
    await compile(
      sql,
      `
      type N = string | number;
      yes<Equal<Functions["scalar"], { Args: { a: N; b: N[]; c: number; d?: N }; Returns: N }>>();
      yes<Equal<Functions["list"], { Args: { a: N[] }; Returns: N[] }>>();
      yes<Equal<Functions["numbers"]["Returns"], N[]>>();
      yes<Equal<Functions["pairs"]["Returns"], Api["CompositeTypes"]["pair"][]>>();
      yes<Equal<Api["CompositeTypes"]["pair"], { a: N | null; b: number | null }>>();
      yes<Equal<Functions["as_table"]["Returns"], { n: N; m: number; p: N[] }[]>>();
      yes<Equal<Functions["items_over"]["Args"], { lowest: N }>>();
      yes<Equal<Functions["items_over"]["Returns"], { id: N; n: number | null }[]>>();
      yes<Equal<Functions["one_item"]["Returns"], { id: N; n: number | null }>>();
      yes<Equal<Functions["outs"], { Args: { a: number; m?: number }; Returns: { n: N; m: number } }>>();
      yes<Equal<Functions["single_out"]["Returns"], { n: N }>>();
      yes<Equal<Functions["unnamed_outs"]["Returns"], { column1: N; column2: number }>>();
      yes<Equal<Functions["unnamed_out"]["Returns"], { pgrst_call: N }>>();
      yes<Equal<Functions["row_out"]["Returns"], { id: N; n: number | null }>>();
      yes<Equal<Functions["many_outs"]["Returns"], { n: N; m: number }[]>>();
      yes<Equal<Tables["items"]["Row"], { id: string; n: number | null; weight: N | null }>>();`,
    ),
  ).toBe("");
});

test("each of several functions of one name has the arguments that reach it alone", async () => {
  const sql = `
    create function api.apart(a int) returns int language sql return 1;
    create function api.apart(a int, b text) returns text language sql return '';
    create function api.apart(c boolean) returns boolean language sql return true;
    create function api.default_beside(a int) returns int language sql return 1;
    create function api.default_beside(a int, b text default '', c text default '') returns text
      language sql return '';
    create function api.typed(a int) returns int language sql return 1;
    create function api.typed(a text) returns text language sql return '';
    create function api.typed_apart(a int, b int) returns int language sql return 1;
    create function api.typed_apart(a text, b text) returns text language sql return '';
    create function api.typed_apart(a text, b text, c text) returns text language sql return '';
    create function api.none_or_one() returns int language sql return 1;
    create function api.none_or_one(a int default 1) returns text language sql return '';`;
  expect(
    await compile(
      sql,
      `
      yes<Equal<Functions["apart"],
        | { Args: { a: number }; Returns: number }
        | { Args: { a: number; b: string }; Returns: string }
        | { Args: { c: boolean }; Returns: boolean }>>();
      yes<Equal<Functions["default_beside"],
        | { Args: { a: number; b: string; c?: string }; Returns: string }
        | { Args: { a: number; b?: string; c: string }; Returns: string }>>();
      yes<"typed" extends keyof Functions ? false : true>();
      yes<Equal<Functions["typed_apart"], { Args: { a: string; b: string; c: string }; Returns: string }>>();
      yes<Equal<Functions["none_or_one"], { Args: { a: number }; Returns: string }>>();`,
    ),
  ).toBe("");
});
