import { describe, expect, test } from "vitest";
import { InvalidError } from "./errors.ts";
import { parseError } from "./parse-error.ts";

/** The error of a response with a status and a body. */
function parse(status: number, body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return parseError(text, { status, requestId: "r1", uncertain: true });
}

test("An error keeps what PostgREST has sent, and what is known of its attempts", () => {
  const body = { code: "PT412", message: "Too late", details: "row_stale", hint: "Read it." };
  const error = parse(412, body);
  expect(error).toMatchObject({ ...body, message: expect.any(String), status: 412 });
  expect(error).toMatchObject({ name: "StaleError", requestId: "r1", uncertain: true });
  expect(error.message).toBe("Too late. Read it again, then decide.");
});

test.each([
  [400, "InvalidError"],
  [401, "SignedOutError"],
  [403, "ForbiddenError"],
  [404, "NotFoundError"],
  [406, "NotFoundError"],
  [408, "UnavailableError"],
  [409, "ConflictError"],
  [412, "StaleError"],
  [413, "TooLargeError"],
  [414, "TooLargeError"],
  [418, "ApiError"],
  [422, "InvalidError"],
  [429, "RateLimitedError"],
  [431, "TooLargeError"],
  [500, "UnavailableError"],
  [599, "UnavailableError"],
])("Status %i is a %s, also when the body is not JSON", (status, name) => {
  expect(parse(status, "<html>")).toMatchObject({ name, code: `HTTP${status}`, status });
  expect(parse(status, "[null]")).toMatchObject({ name, code: `HTTP${status}`, status });
});

describe("The column and the rule are read from the message", () => {
  test.each([
    ["23502", 'null value in column "title" of relation "tasks"', "title", "not null"],
    ["PGRST204", "Could not find the 'due' column of 'tasks'", "due", "unknown column"],
    ["PGRST204", "Column 'due' of relation 'tasks' does not exist", "due", "unknown column"],
    ["42703", "column tasks.due does not exist", "due", "unknown column"],
    [
      "23514",
      'new row for relation "tasks" violates check constraint "tasks_title_not_blank"',
      "title",
      "tasks_title_not_blank",
    ],
    ["23514", 'new row for relation "tasks" violates check constraint "sound"', undefined, "sound"],
    ["22P02", 'invalid input syntax for type uuid: "x"', undefined, undefined],
  ])("of %s: %s", (code, message, column, rule) => {
    const error = parse(400, { code, message });
    expect(error).toBeInstanceOf(InvalidError);
    expect(error).toMatchObject({ column, rule });
  });
});

test("An operator that a column does not have is an InvalidError, and a missing function is not", () => {
  const operator = { code: "42883", message: "operator does not exist: uuid ~* unknown" };
  expect(parse(404, operator)).toMatchObject({ name: "InvalidError", status: 404 });
  const missing = { code: "42883", message: "function api.nothing() does not exist" };
  expect(parse(404, missing).name).toBe("NotFoundError");
});
