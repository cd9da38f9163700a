import { describe, expect, test } from "vitest";
import { findFirstGap, findSegment, listSegments, segmentOrder } from "./wal.ts";

const segment = (timeline: number, number: number) =>
  [timeline, Math.floor(number / 256), number % 256]
    .map((part) => part.toString(16).toUpperCase().padStart(8, "0"))
    .join("");

describe("the segments between two positions", () => {
  test("are those of PostgreSQL's pg_walfile_name", () => {
    expect(listSegments(1, "0/2000028", "0/2FFFFFF")).toEqual(["000000010000000000000002"]);
    expect(listSegments(2, "0/FF000000", "1/1000000")).toEqual([
      "0000000200000000000000FF",
      "000000020000000100000000",
      "000000020000000100000001",
    ]);
  });

  test("include the segment of a position at its very beginning", () => {
    expect(listSegments(1, "0/1000000", "0/2000000")).toHaveLength(2);
  });
});

test("segments are ordered by position, whatever their timeline", () => {
  expect(segmentOrder(segment(2, 5))).toBe(segmentOrder(segment(1, 5)));
  expect(segmentOrder("000000010000000100000000")).toBe(256);
});

describe("the first gap", () => {
  test("is none in a run, across timelines too", () => {
    expect(findFirstGap([])).toBeUndefined();
    expect(findFirstGap([segment(1, 255), segment(1, 256), segment(2, 256)])).toBeUndefined();
  });

  test("is the first segment that is missing in a run", () => {
    expect(findFirstGap([segment(1, 254), segment(1, 256)])).toBe(segment(1, 255));
  });

  test("of one timeline is not filled by the segment of another", () => {
    const segments = [segment(1, 1), segment(2, 2), segment(1, 3), segment(2, 3)];
    expect(findFirstGap(segments)).toBe(segment(1, 2));
  });
});

test.each([
  [`wal/${segment(1, 2)}.gz`, segment(1, 2)],
  [`${segment(1, 2)}.00000028.backup.gz`, segment(1, 2)],
  ["00000002.history.gz", ""],
  [segment(1, 2), ""],
])("the segment of %s is %j", (path, name) => {
  expect(findSegment(path)).toBe(name);
});
