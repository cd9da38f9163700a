import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lastSchemaLoad } from "./api.ts";

test("The time of the last schema load is read from PostgREST's log, and unknown without one", () => {
  const home = mkdtempSync(join(tmpdir(), "rowhouse-log-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const log = join(home, "postgrest.log");
  expect(lastSchemaLoad(log)).toBeUndefined();
  writeFileSync(log, "Starting\n");
  expect(lastSchemaLoad(log)).toBeUndefined();
  // As 12.0.2 writes it, and as 12.2 does.
  for (const rest of ["Schema cache loaded", "Schema cache loaded in 17.1 milliseconds"]) {
    writeFileSync(
      log,
      `21/Nov/2026:05:00:00 +0000: ${rest}\n21/Nov/2026:06:20:54 +0100: ${rest}\n21/Nov/2026:07:00:00 +0000: Listening\n`,
    );
    expect(lastSchemaLoad(log)).toBe("2026-11-21T05:20:54.000Z");
    // Of a long log the end counts.
    const early = `20/Nov/2026:05:00:00 +0000: ${rest}\n`;
    writeFileSync(log, `${early}${"x\n".repeat(600_000)}${readFileSync(log, "utf8")}`);
    expect(lastSchemaLoad(log)).toBe("2026-11-21T05:20:54.000Z");
  }
});
