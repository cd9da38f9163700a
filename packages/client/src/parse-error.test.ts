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

describe("A code decides before the status, which differs between the versions of PostgREST:", () => {
  test.each<[code: string, name: string, statuses: number[]]>([
    ["08006", "UnavailableError", [503]],
    ["25006", "UnavailableError", [405]],
    ["40001", "UnavailableError", [500]],
    ["53300", "UnavailableError", [503]],
    ["53400", "UnavailableError", [503, 500]], // 503 before 12.2
    ["57014", "UnavailableError", [500]],
    ["57P01", "UnavailableError", [503]],
    ["57P02", "UnavailableError", [500]],
    ["57P03", "UnavailableError", [500]],
    ["58030", "UnavailableError", [500]],
    ["XX000", "UnavailableError", [500]],
    ["42P17", "UnavailableError", [400, 500]], // 400 before 12.2
    ["PGRST000", "UnavailableError", [503]],
    ["PGRST001", "UnavailableError", [503]],
    ["PGRST002", "UnavailableError", [503]],
    ["PGRST003", "UnavailableError", [504]],
    ["PGRST300", "UnavailableError", [500]],
    ["54001", "TooLargeError", [413, 500]], // 413 before 12.2
    ["21000", "InvalidError", [400, 500]], // 400 before 12.2
    ["PGRST107", "InvalidError", [406]],
    ["PGRST124", "InvalidError", [400]],
    ["PGRST301", "SignedOutError", [401]],
    ["PGRST302", "SignedOutError", [401]],
    ["PGRST303", "SignedOutError", [401, 400]],
    ["42P01", "NotFoundError", [404]],
    ["PGRST202", "NotFoundError", [404]],
    ["PGRST205", "NotFoundError", [404]],
    ["23001", "ConflictError", [400]],
    ["23503", "ConflictError", [409]],
    ["23505", "ConflictError", [409]],
    ["42501", "ForbiddenError", [403]],
  ])("%s is a %s", (code, name, statuses) => {
    for (const status of statuses) {
      // PostgREST 16 leaves details and hint out when client-error-verbosity is minimal.
      expect(parse(status, { code, message: "m" })).toMatchObject({ name, code, status });
      const verbose = { code, message: "m", details: null, hint: null };
      expect(parse(status, verbose)).toMatchObject({ name, code, details: undefined });
    }
  });
});

test("A response without a code is a lost connection, whose status PostgREST cannot know", () => {
  const error = parse(400, { code: "", details: null, hint: null, message: "" });
  expect(error).toMatchObject({ name: "UnavailableError", code: "connection_lost", status: 400 });
  expect(error.message).toBe("The server lost its connection to the database. Try again later.");
});

test("A write is refused by a standby for a while, and a GET that writes for ever", () => {
  const message = "cannot execute INSERT in a read-only transaction";
  const text = JSON.stringify({ code: "25006", message, details: null, hint: null });
  const parseOf = (method: string) => parseError(text, { status: 405, requestId: "r1" }, method);
  expect(parseOf("PATCH").name).toBe("UnavailableError");
  expect(parseOf("GET").name).toBe("ApiError");
  expect(parseOf("HEAD").name).toBe("ApiError");
});

test("A role that is missing, or that the API must not take on, refuses the token", () => {
  const missing = { code: "22023", message: 'role "nobody" does not exist' };
  expect(parse(400, missing).name).toBe("SignedOutError"); // 12
  expect(parse(401, missing).name).toBe("SignedOutError"); // 13.0.1 and later
  const refused = { code: "42501", message: 'permission denied to set role "postgres"' };
  expect(parse(403, refused).name).toBe("SignedOutError");
  const other = { code: "22023", message: 'invalid value for parameter "TimeZone": "Mars"' };
  expect(parse(400, other).name).toBe("InvalidError");
});

describe("A single row that is none or several", () => {
  test.each([
    ["12", "JSON object requested, multiple (or no) rows returned"],
    ["13 to 16", "Cannot coerce the result to a single JSON object"],
  ])("is told apart by the details of PostgREST %s", (_, message) => {
    const single = (details?: string) => parse(406, { code: "PGRST116", message, details });
    expect(single("The result contains 0 rows").name).toBe("NotFoundError");
    expect(single().name).toBe("NotFoundError");
    for (const count of [2, 10]) {
      const several = single(`The result contains ${count} rows`);
      expect(several).toMatchObject({ name: "ConflictError", code: "PGRST116", status: 406 });
      expect(several.message).toBe("The id meets several rows. Name the whole key of one.");
    }
  });
});
