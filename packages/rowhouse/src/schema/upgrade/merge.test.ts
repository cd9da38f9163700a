import { describe, expect, test } from "vitest";
import { mergeFile, type Versions } from "./merge.ts";

const merge = (versions: Partial<Versions>) =>
  mergeFile(
    "a.sql",
    { base: undefined, yours: undefined, theirs: undefined, ...versions },
    "rowhouse 2.0.0",
  );

const base = "one\ntwo\nthree\nfour\nfive\n";
const theirs = base.replace("one", "ONE");

describe("A file that the tool owns", () => {
  test.each<[string, Partial<Versions>]>([
    ["did not change in the tool", { base, yours: "mine", theirs: base }],
    ["is already as the tool has it", { base, yours: theirs, theirs }],
    ["is gone on both sides", { base }],
    ["was deleted, and did not change in the tool", { base, theirs: base }],
  ])("that %s stays as it is", (_, versions) => {
    expect(merge(versions)).toBeUndefined();
  });

  test("that was not edited is replaced", () => {
    expect(merge({ base, yours: base, theirs })).toEqual({
      path: "a.sql",
      outcome: "updated",
      text: theirs,
    });
  });

  test("that is new is added", () => {
    expect(merge({ theirs })).toEqual({ path: "a.sql", outcome: "added", text: theirs });
  });

  test("that the tool dropped goes when it was not edited, and stays when it was", () => {
    expect(merge({ base, yours: base })).toEqual({ path: "a.sql", outcome: "removed" });
    expect(merge({ base, yours: `${base}mine\n` })).toEqual({ path: "a.sql", outcome: "kept" });
  });

  test("that was deleted here and changed in the tool stays deleted, with a word", () => {
    expect(merge({ base, theirs })).toEqual({ path: "a.sql", outcome: "kept" });
  });

  test("that both sides edited in different places has both edits", () => {
    expect(merge({ base, yours: base.replace("five", "FIVE"), theirs })).toEqual({
      path: "a.sql",
      outcome: "merged",
      text: "ONE\ntwo\nthree\nfour\nFIVE\n",
    });
  });

  test("that both sides edited in one place has the two of them between markers", () => {
    expect(merge({ base, yours: base.replace("one", "mine"), theirs })).toEqual({
      path: "a.sql",
      outcome: "conflict",
      text: "<<<<<<< yours\nmine\n=======\nONE\n>>>>>>> rowhouse 2.0.0\ntwo\nthree\nfour\nfive\n",
    });
  });

  test("that exists here, and that the tool brings anew, is a conflict unless they agree", () => {
    expect(merge({ yours: "mine\n", theirs: "new\n" })?.outcome).toBe("conflict");
    expect(merge({ yours: "new\n", theirs: "new\n" })).toBeUndefined();
  });
});
