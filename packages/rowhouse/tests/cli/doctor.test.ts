import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DoctorContext, Finding } from "../../src/health/doctor/check.ts";
import { checkBackups } from "../../src/health/doctor/checks/backups.ts";
import { checkClocks, clockFindings } from "../../src/health/doctor/checks/clocks.ts";
import { diskFindings } from "../../src/health/doctor/checks/disk.ts";
import { checkGenerated } from "../../src/health/doctor/checks/generated.ts";
import { checkIndexes } from "../../src/health/doctor/checks/indexes.ts";
import { checkKeys } from "../../src/health/doctor/checks/keys.ts";
import { checkMigrations } from "../../src/health/doctor/checks/migrations.ts";
import { checkRoles } from "../../src/health/doctor/checks/roles.ts";
import { settingFindings } from "../../src/health/doctor/checks/settings.ts";
import { checkSpeed } from "../../src/health/doctor/checks/speed.ts";
import {
  checkVersions,
  postgresFindings,
  postgrestFindings,
  readVersions,
} from "../../src/health/doctor/checks/versions.ts";
import { readProject } from "../../src/lib/project.ts";
import { withClient } from "../../src/stack/database.ts";
import { openHome } from "../../src/stack/home.ts";
import { readSettings } from "../../src/stack/settings.ts";
import { startApi } from "../../src/testing/api.ts";
import { cloneDatabase, migratedClone, testScratch } from "../../src/testing/database.ts";
import { pretendBackup } from "../support/backup.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject, migrationFiles } from "../support/project.ts";

/** The messages of findings, each of which must have a remedy. */
function describeFindings(findings: readonly Finding[]): string[] {
  for (const { remedy } of findings) expect(remedy).toMatch(/\S/);
  return findings.map(({ level, message }) => `${level}: ${message}`);
}

const change = (url: string, sql: string) => withClient(url, (client) => client.query(sql));

test("The doctor finds a version of PostgreSQL that lacks security fixes", () => {
  expect(postgresFindings(180_007, false)).toEqual([]);
  expect(describeFindings(postgresFindings(180_006, false))).toEqual([
    expect.stringMatching(/^wrong: PostgreSQL 18\.6 lacks the security fixes of 18\.7/),
  ]);
  expect(describeFindings(postgresFindings(150_019, false))).toHaveLength(1);
  expect(describeFindings(postgresFindings(140_099, false))).toHaveLength(1);
});

test("The doctor only notes that the embedded PostgreSQL, and PostgREST, are behind", () => {
  expect(describeFindings(postgresFindings(180_004, true))).toEqual([
    expect.stringMatching(/^note: /),
  ]);
  expect(describeFindings(postgrestFindings("12.0.2", true, false))).toEqual([
    expect.stringMatching(/^note: The embedded PostgREST 12\.0\.2 is no longer maintained/),
  ]);
});

describe("The doctor knows the faults of a PostgREST that a user chose:", () => {
  const unmaintained = /^wrong: .* is no longer maintained/;
  const patch = /^wrong: .* with other rows than it changed/;
  const future = /^wrong: .*"JWT issued at future"/;
  const retried = /^note: .*40001/;
  test.each([
    ["12.2.12", [unmaintained, patch, retried]],
    ["13.0.8", [unmaintained, patch, retried]],
    ["14.3", [patch, future, retried]],
    ["14.4", [future, retried]],
    ["14.17", [future, retried]],
    ["14.18", [retried]],
    ["16.0", [future]],
    ["16.2", [future]],
    ["16.3", []],
    ["16.5", []],
  ])("%s", (version, expected) => {
    expect(describeFindings(postgrestFindings(version, false, false))).toEqual(
      expected.map((pattern) => expect.stringMatching(pattern)),
    );
  });

  test("a cache of tokens that outlive the secret, also in the embedded one", () => {
    const cached = /^note: PostgREST 12\.[\d.]+ is older than 12\.2\.9 and its JWT cache is on/;
    expect(describeFindings(postgrestFindings("12.0.2", true, true))[1]).toMatch(cached);
    expect(describeFindings(postgrestFindings("12.2.8", false, true)).at(-1)).toMatch(cached);
    const later = describeFindings(postgrestFindings("12.2.9", false, true)).join("\n");
    expect(later).not.toContain("cache");
  });

  test("PostgREST names itself on its connections", async () => {
    const url = await migratedClone();
    const api = await startApi(url);
    onTestFinished(() => api.stop());
    expect((await withClient(url, readVersions))[1]).toEqual([expect.stringMatching(/^\d+\.\d/)]);
  });

  test("also one that runs elsewhere, by the name of its connections", async () => {
    const url = new URL(await migratedClone());
    const check = () =>
      checkVersions({ url: url.href, settings: readSettings({}) } as DoctorContext);
    const elsewhere = async () =>
      describeFindings(await check()).filter((finding) => finding.includes("PostgREST 16.2"));
    expect(await elsewhere()).toEqual([]);
    const named = new URL(url);
    named.searchParams.set("application_name", "PostgREST 16.2 (0123456)");
    await withClient(named.href, async () => {
      expect(await elsewhere()).toEqual([expect.stringMatching(future)]);
    });
  });
});

describe("The doctor finds keys", () => {
  const settings = readSettings({});
  const found = (home: string, change = {}) =>
    describeFindings(checkKeys({ settings: { ...settings, ...change }, home: openHome(home) }));

  test("that are short or cannot be parsed", () => {
    const home = newHome();
    expect(found(home)).toEqual([]);
    expect(found(home, { jwtSecret: "short" })).toEqual([
      "wrong: JWT_SECRET has 5 bytes: give at least 32 random bytes.",
    ]);
    expect(found(home, { authenticatorPassword: "secret" })).toHaveLength(1);
    writeFileSync(join(home, "jwt-secret"), "{", { mode: 0o600 });
    expect(found(home)).toEqual([expect.stringMatching(/starts like a JWK but is not JSON/)]);
  });

  test("without a kid, which it only notes", () => {
    const key = (kid?: string) => ({ kty: "oct", k: Buffer.alloc(32).toString("base64url"), kid });
    const keys = (...all: object[]) =>
      found(newHome(), { jwtSecret: JSON.stringify({ keys: all }) });
    expect(keys(key("a"), key("b"))).toEqual([]);
    expect(keys(key("a"), key())).toEqual([
      expect.stringMatching(/^note: JWT_SECRET holds a key without kid/),
    ]);
    expect(found(newHome(), { jwtSecret: JSON.stringify(key()) })).toHaveLength(1);
    expect(found(newHome(), { jwtSecret: JSON.stringify(key("a")) })).toEqual([]);
  });

  test("that others may read", () => {
    const home = newHome();
    mkdirSync(home);
    const files = ["jwt-secret", "postgres-password"].map((name) => join(home, name));
    for (const [index, file] of files.entries()) {
      writeFileSync(file, "x".repeat(32));
      chmodSync(file, index === 0 ? 0o640 : 0o604);
    }
    expect(found(home)).toEqual(
      files.map((file) => `wrong: Others on this machine may read ${file}.`),
    );
  });
});

test("The doctor notes what makes each request cost more than it need", async () => {
  const url = await migratedClone();
  const settings = readSettings({});
  expect(await checkSpeed({ url, settings })).toEqual([]);
  // Of all that holds for the role, what is set for it in this database counts.
  await change(
    url,
    `do $$ begin
      execute format('alter role authenticator in database %I set plan_cache_mode = auto', current_database());
    end $$`,
  );
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-speed-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const postgrestConf = join(dir, "postgrest.conf");
  const { project } = settings;
  const conf = readFileSync(project.postgrestConf, "utf8");
  writeFileSync(postgrestConf, conf.replace(/^jwt-cache-max-lifetime.*$/m, ""));
  const slower = { ...settings, project: { ...project, postgrestConf } };
  expect(describeFindings(await checkSpeed({ url, settings: slower }))).toEqual([
    "note: PostgreSQL plans each statement of authenticator anew for each request.",
    "note: PostgREST before 14 checks the signature of a token anew for each request.",
  ]);
});

test("The doctor finds a role that may do too much", async () => {
  const url = await migratedClone();
  expect(await checkRoles({ url, settings: readSettings({}) })).toEqual([]);
  await change(
    url,
    `grant truncate on api.users to authenticated;
     grant execute on function api.me() to public;
     create policy everybody on api.tasks for select using (true);
     create table api.bare ();
     create function api.strong() returns int language sql security definer return 1`,
  );
  const objects = describeFindings(await checkRoles({ url, settings: readSettings({}) })).join(
    "\n",
  );
  for (const one of ["api.users", "api.me()", "everybody", "api.bare", "api.strong()"]) {
    expect(objects).toContain(one);
  }
});

test("The doctor finds a table without the index that every request needs", async () => {
  const url = await cloneDatabase();
  expect(await checkIndexes({ url, settings: readSettings({}) })).toEqual([]);
  await change(url, "create table api.notes (user_id uuid, id uuid primary key)");
  expect(describeFindings(await checkIndexes({ url, settings: readSettings({}) }))).toEqual([
    "wrong: api.notes: no index on all of its rows leads with user_id.",
  ]);
});

test("The doctor finds generated files that are stale", async () => {
  const root = copyProject();
  expect(await checkGenerated({ scratch: testScratch() }, readProject(root))).toEqual([]);
  rmSync(join(root, "docs/access.svg"));
  for (const file of ["client/database.types.ts", "docs/access.md"]) {
    writeFileSync(join(root, file), `${readFileSync(join(root, file), "utf8")} `);
  }
  expect(
    describeFindings(await checkGenerated({ scratch: testScratch() }, readProject(root))),
  ).toEqual([
    "wrong: client/database.types.ts is not what sql/ and policies/ declare.",
    "wrong: docs/access.md is not what sql/ and policies/ declare.",
    "wrong: docs/access.svg is not what sql/ and policies/ declare.",
  ]);
});

test("The doctor finds migrations that are pending, unknown, or edited after they were applied", async () => {
  const url = await migratedClone();
  expect(await checkMigrations({ scratch: testScratch(), url })).toEqual([]);
  const newest = migrationFiles.at(-1) ?? "";
  const version = newest.split("_")[0];
  await change(
    url,
    `alter table api.tasks add column note text;
     update public.schema_migrations set version = '29990101000000' where version = '${version}'`,
  );
  const found = describeFindings(await checkMigrations({ scratch: testScratch(), url })).join("\n");
  expect(found).toContain(`wrong: ${newest} is not applied.`);
  expect(found).toContain("wrong: The database has migration 29990101000000");
  expect(found).toMatch(/was edited since|no migration made/);
});

test("The doctor finds clocks that are apart", async () => {
  expect(await checkClocks({ url: await cloneDatabase() })).toEqual([]);
  expect(clockFindings(-10_400)).toEqual([]);
  expect(describeFindings(clockFindings(-11_000))).toEqual([
    expect.stringContaining("is 11 s behind this"),
  ]);
  expect(describeFindings(clockFindings(60_000))).toEqual([
    expect.stringContaining("is 60 s ahead of this"),
  ]);
});

test("The doctor finds a disk that is nearly full", () => {
  expect(diskFindings("/home", 50e9, 1e12)).toEqual([]);
  expect(diskFindings("/home", 2e9, 10e9)).toEqual([]);
  expect(describeFindings(diskFindings("/home", 15e9, 1e12))).toHaveLength(1);
  expect(describeFindings(diskFindings("/home", 0.9e9, 2e9))).toEqual([
    "wrong: The disk of /home has 900.0 MB left, 45.0 % of it: PostgreSQL stops when it is full.",
  ]);
});

test("The doctor finds backups that are too old, or were never drilled", () => {
  const home = openHome(newHome());
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const drilled = (...drills: [hours: number, ok: boolean, database?: string][]) =>
    writeFileSync(
      join(home.dir, "drill.json"),
      JSON.stringify(
        drills.map(([hours, ok, database = "the embedded database"]) => {
          return { database, finishedAt: hoursAgo(hours), ok };
        }),
      ),
    );
  expect(describeFindings(checkBackups({ home }))).toEqual([
    expect.stringMatching(/^note: .* no backup/),
  ]);
  const one = (finishedAt: string) => pretendBackup(home.dir, "20261121T030000Z", { finishedAt });
  // What killed makers and other people left is no backup.
  pretendBackup(home.dir, "20261121T050000Z.part", { finishedAt: hoursAgo(0) });
  pretendBackup(home.dir, "by hand", { finishedAt: hoursAgo(0) });
  expect(describeFindings(checkBackups({ home }))).toEqual([
    expect.stringMatching(/^note: .* no backup/),
  ]);
  one(hoursAgo(25));
  const untried = "wrong: No backup of the embedded database was ever drilled.";
  expect(describeFindings(checkBackups({ home }))).toEqual([untried]);
  // What was tried is another database's.
  const source = "postgres://one/app";
  pretendBackup(home.dir, "20261121T020000Z", { kind: "dump", source, finishedAt: hoursAgo(26.1) });
  drilled([1, true, source]);
  const byHand = `note: The newest backup of ${source} was made 1 d ago.`;
  expect(describeFindings(checkBackups({ home }))).toEqual([untried, byHand]);
  drilled([1, true], [1, true, source]);
  expect(describeFindings(checkBackups({ home }))).toEqual([byHand]);
  one(hoursAgo(26.05));
  drilled([24 * 40, false], [24 * 40, true, source]);
  expect(describeFindings(checkBackups({ home }))).toEqual([
    "wrong: The newest backup of the embedded database was made 1 d ago.",
    "wrong: The last drill of the embedded database failed.",
    "wrong: The last drill of the embedded database was 40 d ago.",
    byHand,
    `wrong: The last drill of ${source} was 40 d ago.`,
  ]);
});

test("The doctor names settings that differ, and no value", () => {
  const running = { PGRST_DB_POOL: "10", PGRST_JWT_SECRET: "one", PGRST_DB_URI: "a", PATH: "/bin" };
  const wanted = { PGRST_DB_POOL: "10", PGRST_JWT_SECRET: "two", PGRST_DB_URI: "b" };
  const differs = (name: string) => `wrong: ${name} is not what PostgREST was started with.`;
  expect(describeFindings(settingFindings(running, wanted))).toEqual([differs("PGRST_JWT_SECRET")]);
  const [taken, added] = [{ PGRST_LOG_LEVEL: "info" }, { PGRST_JWT_AUD: "x" }];
  expect(describeFindings(settingFindings(taken, added))).toEqual(
    Object.keys({ ...taken, ...added }).map(differs),
  );
});

test("The doctor reports invalid settings to a DBA", async () => {
  const { stdout, code } = await rowhouse(["doctor"], {
    ROWHOUSE_HOME: newHome(),
    JWT_SECRET: "short",
  });
  expect(code).toBe(1);
  expect(stdout).toContain("JWT_SECRET has 5 bytes");
});
