import { describe, expect, test } from "vitest";
import { ago, percent, size, span, timestamp } from "./format.ts";

describe("a span of time", () => {
  test.each([
    [-3, "0 s"],
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3599, "59 min"],
    [3600, "1 h"],
    [86_399, "23 h"],
    [86_400 * 2.5, "2 d"],
  ])("of %d seconds is shown as %s", (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });
});

describe("a size", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [8_123_456, "8.1 MB"],
    [5e12, "5.0 TB"],
    [5e15, "5000.0 TB"],
  ])("of %d bytes is shown as %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });
});

test("a time that never was is shown as none", () => {
  expect(ago(undefined)).toBe("none yet");
  expect(ago(undefined, "at an unknown time")).toBe("at an unknown time");
  expect(ago(new Date(Date.now() - 90_000).toISOString())).toBe("1 min ago");
});

test("a share is shown with one digit", () => {
  expect(percent(0.9919)).toBe("99.2 %");
});

test("a time in a file name is in UTC, sorts by time, and has no colon", () => {
  expect(timestamp(new Date("2026-11-21T04:00:00.750+01:00"))).toBe("20261121T030000Z");
});
