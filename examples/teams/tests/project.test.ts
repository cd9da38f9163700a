import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const here = join(import.meta.dirname, "..");
const top = join(here, "../..");

/** The files of sql/ that both projects have: what every project begins with. */
const common = readdirSync(join(here, "sql"), { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".sql") && existsSync(join(top, "sql", file)),
);

test("the folders that every project has are here", () => {
  expect(common).toEqual(expect.arrayContaining(["request/check.sql", "private/add_user.sql"]));
  for (const folder of ["request", "private"]) {
    for (const file of readdirSync(join(top, "sql", folder)))
      expect(common).toContain(join(folder, file));
  }
});

test.each(["postgrest.conf", ...common.map((file) => join("sql", file))])(
  "%s is as at the top level, which tests it",
  (file) => {
    expect(readFileSync(join(here, file), "utf8")).toBe(readFileSync(join(top, file), "utf8"));
  },
);
