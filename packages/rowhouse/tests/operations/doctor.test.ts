import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Finding } from "../../src/health/doctor/check.ts";
import type { Diagnosis } from "../../src/health/doctor/doctor.ts";
import { addUser, backUp, inHome } from "../support/backup.ts";
import { rowhouse, startStack } from "../support/cli.ts";

test("A DBA asks the doctor about a stack that runs, before and after a setting was changed", async () => {
  const stack = await startStack();
  const well = await rowhouse(["doctor", "--json"], stack.env);
  const findings: Finding[] = JSON.parse(well.stdout);
  // How much room there is, is the machine's.
  expect(
    findings.filter(({ level, message }) => level === "wrong" && !/disk/.test(message)),
  ).toEqual([]);
  const changed = await rowhouse(["doctor"], { ...stack.env, PGRST_DB_MAX_ROWS: "7" });
  expect(changed.code).toBe(1);
  expect(changed.stdout).toContain("wrong [settings] PGRST_DB_MAX_ROWS is not what");
  // One check that cannot look keeps none of the others from it.
  await inHome(stack.home, (client) => client.query("alter role anonymous bypassrls"));
  const broken = { ...stack.env, PGRST_DB_MAX_ROWS: "7", POSTGREST_BIN: "/bin/false" };
  const { stdout } = await rowhouse(["doctor"], broken);
  expect(stdout).toContain("wrong [roles] anonymous: the role has BYPASSRLS.");
  expect(stdout).toContain("wrong [versions] Could not check this: ");
  expect(stdout).toContain("wrong [settings] PGRST_DB_MAX_ROWS is not what");
});

test("The doctor reports WAL that is not archived, and an archive that is gone", async () => {
  const stack = await startStack();
  const { home, env } = stack;
  const archive = async () => {
    const findings: Diagnosis[] = JSON.parse((await rowhouse(["doctor", "--json"], env)).stdout);
    return findings.filter(({ check }) => check === "archive").map(({ message }) => message);
  };
  await backUp(home);
  expect(await archive()).toEqual([]);
  // Another segment under the next name, as after a new data directory.
  const wal = await inHome(home, async (client) => {
    const { rows } = await client.query<{ wal: string }>(
      "select pg_walfile_name(pg_current_wal_lsn()) as wal",
    );
    return rows[0]?.wal ?? "";
  });
  writeFileSync(join(home, "wal", `${wal}.gz`), gzipSync("another"));
  await addUser(home, "a@x.org");
  await inHome(home, (client) => client.query("select pg_switch_wal()"));
  await expect
    .poll(archive, { timeout: 20_000 })
    .toEqual([`The server cannot archive its WAL: it fails at ${wal}, and keeps all since.`]);
  rmSync(join(home, "wal"), { recursive: true });
  expect(await archive()).toContainEqual(
    expect.stringMatching(/wal is gone: no point in time after/),
  );
});
