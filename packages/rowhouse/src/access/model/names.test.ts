import { expect, test } from "vitest";
import type { ApiNames } from "../../stack/api-names.ts";
import type { AccessModel, Relation } from "./model.ts";
import { findTable, sqlName } from "./names.ts";

function relation(name: string, kind: Relation["kind"] = "table", schema = "api"): Relation {
  const fullName = `${schema}.${name}`;
  return { schema, name, fullName, label: schema === "api" ? name : fullName, kind } as Relation;
}

const model: AccessModel = {
  names: { schemas: ["api", "shop"] } as unknown as ApiNames,
  relations: [
    relation("tasks"),
    relation("users"),
    relation("titles", "view"),
    relation("totals", "materialized view"),
    relation("remote", "foreign table"),
    relation("orders", "table", "shop"),
    relation("users", "table", "shop"),
  ],
  functions: [],
};

test("a table is found by its name, with or without the schema", () => {
  expect(findTable(model, "tasks").name).toBe("tasks");
  expect(findTable(model, "api.users").fullName).toBe("api.users");
  expect(findTable(model, "users").fullName).toBe("api.users");
  expect(findTable(model, "shop.users").fullName).toBe("shop.users");
  expect(findTable(model, "orders").fullName).toBe("shop.orders");
  expect(findTable(model, "titles").kind).toBe("view");
  expect(findTable(model, "totals").kind).toBe("materialized view");
});

test.each([
  ["taks", /^There is no table api\.taks\. Did you mean tasks\?$/],
  ["user", /Did you mean users\?$/],
  ["shop.order", /^There is no table shop\.order\. Did you mean shop\.orders\?$/],
  ["invoices", /^There is no table api\.invoices\.$/],
  ["remote", /^api\.remote is a foreign table: it has no policies of its own\.$/],
])("%s is refused, with the nearest table if there is one", (name, message) => {
  expect(() => findTable(model, name)).toThrow(message);
});

test("where no table is exposed, the remedy names the schemas that are", () => {
  expect(() => findTable({ ...model, relations: [] }, "tasks")).toThrow(
    expect.objectContaining({ remedy: "PostgREST serves api, shop alone, and no table is there." }),
  );
});

test("a name in SQL that runs is always quoted", () => {
  expect(sqlName({ schema: "api", name: 'My "notes"' })).toBe('"api"."My ""notes"""');
});
