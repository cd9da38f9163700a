import type { GeneratorMetadata } from "@supabase/postgrest-typegen";
import { expect, test } from "vitest";
import { orderArguments } from "./argument-order.ts";
import { correctMetadata } from "./metadata.ts";

type PgFunction = GeneratorMetadata["functions"][number];

const argument = (name: string, has_default: boolean) => ({
  mode: "in",
  name,
  type_id: 25,
  has_default,
});

/** f(account text, size int default 50, start int default 0), as a sorted plan gives it. */
const mixed = {
  id: 7,
  name: "f",
  args: [argument("start", true), argument("account", false), argument("size", true)],
} as unknown as PgFunction;
const names = new Map([["7", ["account", "size", "start"]]]);

test("arguments come in the order of the function, whatever that of the generator", () => {
  expect(orderArguments(mixed, names).args.map(({ name }) => name)).toEqual([
    "account",
    "size",
    "start",
  ]);
});

test("those that have a default are optional, and no others", () => {
  const metadata = { tables: [], types: [], columns: [], functions: [mixed] };
  const { functions } = correctMetadata(
    metadata as unknown as GeneratorMetadata,
    new Map(),
    new Map(),
    names,
  );
  expect(functions[0]?.args).toMatchObject([
    { name: "account", has_default: false },
    { name: "size", has_default: true },
    { name: "start", has_default: true },
  ]);
});
