import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { stageWal } from "../../src/backup/physical/stage-wal.ts";
import { findFirstGap, segmentSize } from "../../src/backup/wal.ts";
import { addUser, backUp, inHome, listEmails, readManifest } from "../support/backup.ts";
import { newHome, readyHome, rowhouse } from "../support/cli.ts";

/** Writes three segments of WAL after a backup, each with a user; returns their names in the archive. */
async function threeSegments(home: string, backup: string): Promise<string[]> {
  await inHome(home, async (client) => {
    for (const email of ["one@x.org", "two@x.org", "three@x.org"]) {
      await client.query("insert into api.users (email) values ($1)", [email]);
      await client.query("select pg_switch_wal()");
    }
  });
  const own = (readManifest(backup).wal ?? []).map((path) => path.replace(/^wal\//, ""));
  return readdirSync(join(home, "wal")).filter((name) => name > (own.at(-1) ?? ""));
}

/** The archive and the backups, as if they were copied to another machine a day later. */
function copied(home: string): string {
  const copy = newHome();
  for (const part of ["backups", "wal"]) {
    cpSync(join(home, part), join(copy, part), { recursive: true });
  }
  const later = new Date(Date.now() + 86_400_000);
  for (const name of readdirSync(join(copy, "wal")))
    utimesSync(join(copy, "wal", name), later, later);
  return copy;
}

const now = () => new Date().toISOString();

test("WAL that does not join on to the backup's own cannot be used for point-in-time recovery", async () => {
  const home = readyHome();
  const backup = await backUp(home);
  const [next = ""] = await threeSegments(home, backup);
  const copy = copied(home);
  for (const name of readdirSync(join(copy, "wal"))) {
    if (name <= next) rmSync(join(copy, "wal", name));
  }
  for (const to of [now(), "latest"]) {
    const { code, stderr } = await rowhouse(["restore", "--to", to], { ROWHOUSE_HOME: copy });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `[backup_damaged] The WAL segment ${next.replace(".gz", "")} is missing`,
    );
  }
  expect(existsSync(join(copy, "data"))).toBe(false);
});

test("WAL that ends in its middle, unnoticed by its checksum, restores nothing as if it were all", async () => {
  const home = readyHome();
  const backup = await backUp(home);
  const [, second = ""] = await threeSegments(home, backup);
  const copy = copied(home);
  const file = join(copy, "wal", second);
  writeFileSync(file, gzipSync(gunzipSync(readFileSync(file)).fill(0, 0, 8192)));
  for (const to of [now(), "latest"]) {
    const { code, stderr } = await rowhouse(["restore", "--to", to], { ROWHOUSE_HOME: copy });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[restore_failed\] The WAL after the backup .* goes on to the segment/);
  }
  expect(readdirSync(copy).sort()).toEqual(["backups", "restore.log", "wal"]);
  // The log is of the last one alone: what it says of an earlier one would be taken for its own.
  const starts = readFileSync(join(copy, "restore.log"), "utf8").match(/starting PostgreSQL/g);
  expect(starts).toHaveLength(1);
});

test("the way back to before a restore is found in a copy of the archive, too", async () => {
  const home = readyHome();
  await backUp(home);
  await addUser(home, "first@x.org");
  const before = now();
  await addUser(home, "second@x.org");
  await rowhouse(["restore", "--to", before], { ROWHOUSE_HOME: home });
  const restored = now();
  await addUser(home, "third@x.org");
  const copy = copied(home);
  await rowhouse(["restore", "--to", "latest"], { ROWHOUSE_HOME: copy });
  expect(await listEmails(copy)).toEqual(["first@x.org", "third@x.org"]);
  await rowhouse(["restore", "--to", before], { ROWHOUSE_HOME: copy });
  expect(await listEmails(copy)).toEqual(["first@x.org"]);
  await addUser(copy, "fourth@x.org");
  const { stdout } = await rowhouse(["restore", "--to", restored], { ROWHOUSE_HOME: copy });
  expect(stdout).toContain("its last change is of");
  expect(await listEmails(copy)).toEqual(["first@x.org"]);
});

const segment = (number: number) => `00000001000000000000000${number}`;

test("a restore takes each segment from the first place that has it, and none from before it", async () => {
  const dir = newHome();
  const place = (name: string, files: Record<string, string | Buffer>) => {
    mkdirSync(join(dir, name), { recursive: true });
    for (const [file, content] of Object.entries(files)) {
      writeFileSync(join(dir, name, file), content);
    }
    return join(dir, name);
  };
  const whole = gzipSync(Buffer.alloc(segmentSize), { level: 1 });
  const own = place("own", { [`${segment(2)}.gz`]: whole });
  const archive = place("archive", {
    [`${segment(1)}.gz`]: "damaged, and not needed",
    [`${segment(2)}.gz`]: "damaged, and there already",
    [`${segment(3)}.gz`]: whole,
    [`${segment(4)}.gz.part`]: "half",
  });
  const rest = place("pg_wal", { [segment(3)]: "older", [segment(4)]: "unarchived" });
  const staged = join(dir, "staged");
  const stage = () =>
    stageWal(
      staged,
      { prefix: [], native: "", place: dir },
      [own, archive, join(dir, "nowhere"), rest],
      segment(2),
      new AbortController().signal,
    );
  await stage();
  const names = [`${segment(2)}.gz`, `${segment(3)}.gz`, segment(4)];
  expect(readdirSync(staged).sort()).toEqual(names);
  expect(readFileSync(join(staged, names[0] ?? "")).equals(whole)).toBe(true);
  writeFileSync(join(archive, `${segment(5)}.gz`), whole.subarray(0, -1));
  await expect(stage()).rejects.toMatchObject({ code: "backup_damaged" });
  writeFileSync(join(archive, `${segment(5)}.gz`), gzipSync("half a segment, packed whole"));
  await expect(stage()).rejects.toMatchObject({ message: expect.stringContaining("28 bytes") });
});

test("a segment of another timeline fills no gap", () => {
  const name = (timeline: number, number: number) => `0000000${timeline}000000000000000${number}`;
  expect(findFirstGap([name(1, 1), name(1, 2), name(2, 2), name(2, 3)])).toBeUndefined();
  const segments = [name(1, 1), name(1, 2), name(2, 2), name(1, 3), name(2, 4)];
  expect(findFirstGap(segments)).toBe(name(2, 3));
  expect(findFirstGap([name(1, 1), name(2, 3)])).toBe(name(1, 2));
});
