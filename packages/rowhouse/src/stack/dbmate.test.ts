import { expect, test } from "vitest";
import { parseUp } from "./dbmate.ts";

test.each([
  ["as dbmate writes it", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n"],
  ["without a blank", "--migrate:up\nselect 1;\n--migrate:down\nselect 2;\n"],
  ["with a tab", "--\tmigrate:up \nselect 1;\n--  migrate:down\nselect 2;\n"],
  ["without a way back", "-- Why.\n-- migrate:up\nselect 1;\n"],
])("a migration %s applies its up part alone", (_, text) => {
  expect(parseUp(text, "1_one.sql")).toEqual({ sql: "select 1;\n", inTransaction: true });
});

test.each([
  ["-- migrate:up transaction:false\n", false],
  ["--migrate:up\ttransaction:false\n", false],
  ["-- migrate:up transaction:true\n", true],
  ["-- migrate:up\n-- migrate:down transaction:false\n", true],
])("%j runs in a transaction: %s", (text, inTransaction) => {
  expect(parseUp(text, "1_one.sql").inTransaction).toBe(inTransaction);
});

test.each(["", "select 1;", "-- migrate:down\nselect 2;", "-- migrate:upward\nselect 1;"])(
  "a migration without an up part is refused: %j",
  (text) => {
    expect(() => parseUp(text, "1_one.sql")).toThrow(
      expect.objectContaining({
        code: "migration_failed",
        message: expect.stringContaining("1_one.sql has no part that dbmate would apply"),
      }),
    );
  },
);
