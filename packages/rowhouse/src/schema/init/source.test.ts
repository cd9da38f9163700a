import { expect, test } from "vitest";
import { assertVersions, describeSearchPath } from "./source.ts";

test.each([
  [14, 18, "the oldest that can be read is 15"],
  [18, 15, "the throwaway server that its project would be tried on is 15"],
  [19, 18, "The database is on PostgreSQL 19"],
])(
  "a database on PostgreSQL %i is refused where throwaway servers are %i",
  (source, scratch, message) => {
    expect(() => assertVersions(source, scratch)).toThrow(
      expect.objectContaining({
        code: "version_unsupported",
        message: expect.stringContaining(message),
      }),
    );
  },
);

test("a search path that does not begin with public is noted", () => {
  expect(describeSearchPath("public")).toEqual([]);
  expect(describeSearchPath("app")).toEqual([
    expect.stringMatching(
      /^A search path is set here that begins with app: run dbmate itself with /,
    ),
  ]);
  expect(describeSearchPath(null)).toEqual([
    expect.stringMatching(
      /^A search path is set here that names no schema: run dbmate itself with /,
    ),
  ]);
});

test.each([15, 16, 17, 18])("a database on PostgreSQL %i is read", (source) => {
  expect(() => assertVersions(source, 18)).not.toThrow();
});
