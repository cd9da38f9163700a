import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Drill } from "../../src/backup/drill/drill.ts";
import { hashCatalog } from "../../src/backup/manifest.ts";
import { readCopies } from "../../src/health/status/copies.ts";
import type { CatalogEntry } from "../../src/schema/catalog/catalog.ts";
import { openHome } from "../../src/stack/home.ts";
import {
  backUp,
  editManifest,
  flipBit,
  forge,
  inHome,
  listFaults,
  pretendBackup,
  readManifest,
  runDrill,
} from "../support/backup.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { people } from "../support/people.ts";

/** A home with people, tasks, and a backup; each test damages a copy. */
let original: string;
let backupName: string;
/** Where the rows of api.tasks lie in the data directory. */
let tasksFile: string;

beforeAll(async () => {
  original = mkdtempSync(join(tmpdir(), "rowhouse-drill-"));
  cpSync(inject("home"), original, { recursive: true });
  tasksFile = await inHome(original, async (client) => {
    await client.query(
      `${people}; create sequence private.numbers; select nextval('private.numbers')`,
    );
    const { rows } = await client.query<{ file: string }>(
      "select pg_relation_filepath('api.tasks') as file",
    );
    return rows[0]?.file ?? "";
  });
  backupName = basename(await backUp(original));
});

afterAll(() => rmSync(original, { recursive: true, force: true }));

function copy(): { home: string; backup: string } {
  const home = newHome();
  for (const part of ["backups", "wal"]) {
    cpSync(join(original, part), join(home, part), { recursive: true });
  }
  return { home, backup: join(home, "backups", backupName) };
}

test("a whole backup is proven, and the drill is on record", async () => {
  const { home } = copy();
  const { code, report } = await runDrill(home);
  expect(listFaults({ report })).toEqual([]);
  expect(code).toBe(0);
  expect(report.checks.map(({ name }) => name)).toEqual([
    "checksums",
    "WAL",
    "rows",
    "catalog",
    "indexes",
    "access",
  ]);
  expect(report.rtoSeconds).toBeGreaterThan(0);
  expect(JSON.parse(readFileSync(join(home, "drill.json"), "utf8"))).toEqual([report]);
  expect(readdirSync(home).sort()).toEqual(["backups", "drill.json", "wal"]);
});

test("the newest backup of each database is tried, and one that is lost fails the drill", async () => {
  const { home } = copy();
  const dump = { kind: "dump", source: "postgres://one/app" } as const;
  const files = [{ path: "database.dump", size: 1, sha256: "" }];
  for (const name of ["20261120T030000Z", "20261120T040000Z"]) {
    pretendBackup(home, name, { ...dump, files });
  }
  const drill = async (...args: string[]) => {
    const outcome = await rowhouse(["drill", "--json", ...args], { ROWHOUSE_HOME: home });
    const reports: Drill[] = JSON.parse(outcome.stdout);
    return { code: outcome.code, tried: reports.map(({ backup, ok }) => [backup, ok]) };
  };
  const lost = ["20261120T040000Z", false];
  expect(await drill()).toEqual({ code: 1, tried: [[backupName, true], lost] });
  expect(await drill("20261120T040000Z")).toEqual({ code: 1, tried: [lost] });
  expect(readCopies(openHome(home)).map(({ database, drill }) => [database, drill?.ok])).toEqual([
    ["the embedded database", true],
    ["postgres://one/app", false],
  ]);
});

test("a flipped bit in a data file fails the drill", async () => {
  const { home, backup } = copy();
  const file = join(backup, "data", `${tasksFile}.gz`);
  writeFileSync(file, flipBit(readFileSync(file)));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toEqual([
    `checksums: data/${tasksFile}.gz was changed: its checksum is another`,
  ]);
});

test("a flipped bit from before the checksum was taken fails the drill", async () => {
  const { home, backup } = copy();
  forge(backup, `data/${tasksFile}.gz`, flipBit);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(/rows: invalid page in block 0 of relation/);
});

test("a missing file fails the drill", async () => {
  const { home, backup } = copy();
  rmSync(join(backup, "data", `${tasksFile}.gz`));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toEqual([`checksums: data/${tasksFile}.gz is missing`]);
});

test("a truncated WAL segment of the backup fails the drill", async () => {
  const { home, backup } = copy();
  const segment = readManifest(backup).wal?.at(-1) ?? "";
  truncateSync(join(backup, segment), 1000);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(`checksums: ${segment} has 1000 bytes, and had`);
});

test("a WAL segment that was left out of the backup and the archive fails the drill", async () => {
  const { home, backup } = copy();
  const segment = readManifest(backup).wal?.at(-1) ?? "";
  rmSync(join(backup, segment));
  rmSync(join(home, segment));
  editManifest(backup, (manifest) => ({
    ...manifest,
    files: manifest.files.filter(({ path }) => path !== segment),
  }));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(/restore: .* its WAL ends before that time/);
});

test("a truncated segment in the archive fails the drill", async () => {
  const { home, backup } = copy();
  const segment = readManifest(backup).wal?.at(-1) ?? "";
  const next = segment.replace(/.\.gz$/, "F.gz");
  cpSync(join(home, segment), join(home, next));
  truncateSync(join(home, next), 1000);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(/WAL: The WAL segment .*F\.gz is damaged/);
});

test("a segment that is missing in the middle of the archive fails the drill", async () => {
  const { home, backup } = copy();
  const segment = readManifest(backup).wal?.at(-1) ?? "";
  cpSync(join(home, segment), join(home, segment.replace(/.\.gz$/, "F.gz")));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(/WAL: the segment 0{7}1\d+[0-9A-F] is missing/);
});

test("rows that the manifest counted and the restore does not hold fail the drill", async () => {
  const { home, backup } = copy();
  editManifest(backup, (manifest) => ({
    ...manifest,
    tables: manifest.tables.map((table) =>
      table.name === "api.tasks" ? { ...table, rows: "3" } : table,
    ),
  }));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toEqual(["rows: api.tasks has 2 rows, and had 3"]);
});

test("tables, sequences and settings that are missing, new or behind fail the drill", async () => {
  const { home, backup } = copy();
  const hash = "";
  editManifest(backup, ({ tables, sequences, settings, ...rest }) => ({
    ...rest,
    tables: [
      ...tables.filter(({ name }) => name !== "api.users"),
      { name: "api.lost", rows: "1", hash },
    ],
    sequences: [
      ...sequences.map((one) => ({ ...one, value: "9999" })),
      { name: "api.lost", value: null },
    ],
    settings: [...settings.slice(1), { name: "somebody", hash }],
  }));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toEqual([
    "rows: api.lost is missing",
    "rows: api.users was not there",
    expect.stringMatching(/^rows: the sequence private\.numbers stands at \d+, and stood at 9999$/),
    "rows: the sequence api.lost is missing",
    "rows: settings of somebody differ",
    expect.stringMatching(/^rows: settings of \w+ are new$/),
  ]);
});

test("an archive that begins after the backup fails the drill", async () => {
  const { home, backup } = copy();
  const first = readManifest(backup).wal?.at(0) ?? "";
  rmSync(join(home, first));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill).join("\n")).toMatch(/^WAL: the segment [0-9A-F]{24} is missing in /);
});

test("as many rows with other content fail the drill", async () => {
  const { home, backup } = copy();
  editManifest(backup, (manifest) => ({
    ...manifest,
    tables: manifest.tables.map((table) => ({ ...table, hash: `${table.hash}1` })),
  }));
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toContain("rows: api.tasks has different rows than the backup");
});

test.each(["policy", "grant", "role"])(
  "a %s that was there and is not restored fails the drill",
  async (kind) => {
    const { home, backup } = copy();
    const lost = { kind, name: `lost_${kind}`, definition: "it was there" };
    forge(backup, "catalog.json", (content) =>
      Buffer.from(JSON.stringify([...JSON.parse(content.toString()), lost])),
    );
    const catalog: CatalogEntry[] = JSON.parse(readFileSync(join(backup, "catalog.json"), "utf8"));
    editManifest(backup, (manifest) => ({ ...manifest, catalog: hashCatalog(catalog) }));
    const drill = await runDrill(home);
    expect(drill.code).toBe(1);
    expect(listFaults(drill)).toEqual([
      `catalog: ${kind} lost_${kind}`,
      "catalog: + it was there",
      "catalog: the catalog is not the one of the manifest",
    ]);
  },
);
