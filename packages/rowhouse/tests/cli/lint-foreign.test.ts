import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { startCluster, type TestCluster } from "../../src/testing/cluster.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { seededFaults, supabaseStyleSql } from "../support/supabase-style.ts";

// A server of its own: it has the roles of another platform.
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
  await withClient(cluster.url, (client) => client.query(supabaseStyleSql()));
});
afterAll(() => cluster.stop());

interface Found {
  readonly rule: string;
  readonly level: string;
  readonly object: string;
  readonly findings: readonly string[];
}

const lint = (...args: string[]) =>
  rowhouse(["lint", "--against", cluster.url, ...args], { ROWHOUSE_HOME: newHome() });

test("a project in Supabase's style with 25 tables has 30 findings at most, with all that is open", async () => {
  const { code, stdout } = await lint("--json");
  const found: Found[] = JSON.parse(stdout);
  const grave = found.filter(({ level }) => level !== "note");
  expect(grave.map(({ rule, object }) => `${rule} ${object}`)).toEqual(
    expect.arrayContaining([...seededFaults]),
  );
  expect(found.length).toBeLessThanOrEqual(30);
  expect(code).toBe(1);
});

test("conventions that such a project does not follow are one line with their numbers", async () => {
  const { stdout } = await lint();
  expect(stdout).toMatch(
    /^conventions \(note\)\n {2}this project: .*missing_comments would find \d\d\d/m,
  );
  expect(stdout).not.toMatch(/^missing_comments/m);
  expect(stdout).toMatch(
    /^ {2}\d+ objects: public\.\S+, public\.\S+, public\.\S+, and \d+ more\.$/m,
  );
});

test("--rule lists what one of them finds, as notes", async () => {
  const { code, stdout } = await lint("--rule", "policy_to_public", "--json");
  expect(code).toBe(0);
  const found: Found[] = JSON.parse(stdout);
  expect(new Set(found.map(({ rule, level }) => `${rule} ${level}`))).toEqual(
    new Set(["policy_to_public note"]),
  );
  expect(found.length).toBeGreaterThan(80);
});

test("a request.user_id() of another make does not bring the conventions", async () => {
  const other = "create schema request; create function request.user_id() returns int return 1";
  await withClient(cluster.url, (client) => client.query(other));
  const { stdout } = await lint();
  await withClient(cluster.url, (client) => client.query("drop schema request cascade"));
  expect(stdout).toMatch(/^conventions \(note\)/m);
});

test("dbmate's table is open where a role of the API has a right on it, and only there", async () => {
  const finding = "public.schema_migrations: its row-level security is off.";
  const rule = ["--rule", "row_security"];
  await withClient(cluster.url, (client) =>
    client.query(`create table public.schema_migrations (version text primary key);
      revoke all on public.schema_migrations from public, anon, authenticated, service_role`),
  );
  const closed = await lint(...rule);
  await withClient(cluster.url, (client) =>
    client.query("grant select on public.schema_migrations to anon"),
  );
  const open = await lint(...rule);
  await withClient(cluster.url, (client) => client.query("drop table public.schema_migrations"));
  expect(closed.stdout).not.toContain(finding);
  expect(open.stdout).toContain(finding);
});
