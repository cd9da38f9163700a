import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tarballs } from "./global-setup.ts";
import { succeed } from "./run.ts";

/** The version that the older packages say they are. */
export const olderVersion = "0.0.9";

const limit = "sql/private/limit_affected_rows.sql";

/** As an older version had it: one request could change 50 rows. */
function makeOlder(text: string): string {
  if (!text.includes("    100\n")) throw new Error("limit_affected_rows.sql has no limit of 100");
  return text.replace("    100\n", "    50\n");
}

/**
 * Packs an older version of the packages: what the given tarballs hold, with a lower number and one
 * function that was different then.
 */
export async function packOlder(tarballs: Tarballs, dir: string): Promise<Tarballs> {
  const rowhouse = await unpack(tarballs.rowhouse, join(dir, "rowhouse"));
  const create = await unpack(tarballs.createRowhouse, join(dir, "create"));
  const template = join(create, "template");
  const migrations = join(template, "db/migrations");
  const migration = readdirSync(migrations).find((name) => name.endsWith("_private.sql")) ?? "";
  for (const file of [
    join(rowhouse, "dist/owned", limit),
    join(template, limit),
    join(migrations, migration),
  ]) {
    edit(file, makeOlder);
  }
  edit(join(template, "rowhouse.lock.json"), (text) => {
    const { files } = JSON.parse(text);
    const older = { ...files, [limit]: makeOlder(files[limit]) };
    return JSON.stringify({ version: olderVersion, files: older });
  });
  return {
    ...tarballs,
    rowhouse: await pack(rowhouse, dir),
    createRowhouse: await pack(create, dir),
  };
}

async function unpack(tarball: string, dir: string): Promise<string> {
  mkdirSync(dir, { recursive: true });
  await succeed("tar", ["-xzf", tarball, "--strip-components=1", "-C", dir], dir);
  return dir;
}

async function pack(dir: string, destination: string): Promise<string> {
  edit(join(dir, "package.json"), (text) =>
    JSON.stringify({ ...JSON.parse(text), version: olderVersion, scripts: {} }),
  );
  const args = ["pack", "--silent", "--pack-destination", destination];
  return join(destination, (await succeed("npm", args, dir)).trim());
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, "utf8")));
}
