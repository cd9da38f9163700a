import { expect, inject, test } from "vitest";
import { slowStatements } from "../../src/health/slow/statements.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";

test("A DBA whose server records no statements gets a remedy", async () => {
  const url = await cloneDatabase();
  const asked = slowStatements(url, "total", 10, false);
  await expect(asked).rejects.toMatchObject({ code: "slow_unrecorded" });
});

test("A DBA whose server has the extension, but has not loaded it, gets a remedy", async ({
  skip,
}) => {
  const url = await cloneDatabase();
  const { rowCount } = await withClient(inject("serverUrl"), (client) =>
    client.query("select from pg_available_extensions where name = 'pg_stat_statements'"),
  );
  if (rowCount === 0) skip("This server has no pg_stat_statements.");
  await withClient(url, (client) => client.query("create extension pg_stat_statements"));
  const asked = slowStatements(url, "total", 10, false);
  await expect(asked).rejects.toMatchObject({ code: "slow_unrecorded" });
});
