import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { give, type Identity } from "./unprivileged.ts";

// initdb takes most of the start of a throwaway server. What it makes is kept as one archive for each
// version of PostgreSQL: in the user's folder for caches, readable for that user alone.

/** Beside the data in the archive: the password of its superuser. */
const passwordFile = "scratch-password";

/**
 * Puts the data that initdb has made before into the folder `data` of a place.
 *
 * @param version Of PostgreSQL, in full.
 * @returns The password of its superuser; undefined when nothing is kept, or it cannot be used.
 */
export async function unpackInitialData(
  identity: Identity,
  version: string,
): Promise<string | undefined> {
  const { place, uid, gid } = identity;
  const archive = isOwn(cacheFolder()) ? openOwn(archiveFile(version)) : undefined;
  if (archive === undefined) return undefined;
  give(place, identity);
  try {
    // Tar gets the archive opened: it may run as a user who cannot reach the folder.
    const user = uid === undefined || gid === undefined ? {} : { uid, gid };
    await tar(["-xf", "-"], { cwd: place, stdio: [archive, "ignore", "ignore"], ...user });
    return readFileSync(join(place, "data", passwordFile), "utf8");
  } catch {
    // Cut short, or there is no tar: initdb makes it again.
    rmSync(join(place, "data"), { recursive: true, force: true });
    return undefined;
  } finally {
    closeSync(archive);
  }
}

/** Keeps the data that initdb has just made, where that is possible: it only saves time. */
export async function packInitialData(
  { place }: Pick<Identity, "place">,
  version: string,
  password: string,
): Promise<void> {
  const file = archiveFile(version);
  const draft = `${file}.${randomBytes(4).toString("hex")}`;
  try {
    mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
    if (!isOwn(cacheFolder())) return;
    writeFileSync(join(place, "data", passwordFile), password, { mode: 0o600 });
    writeFileSync(draft, "", { mode: 0o600, flag: "wx" });
    await tar(["-cf", draft, "data"], { cwd: place, stdio: "ignore" });
    renameSync(draft, file);
  } catch {
    // No space, no right to write there, no tar: the next server is made by initdb, too.
    rmSync(draft, { force: true });
  }
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "rowhouse");
}

function archiveFile(version: string): string {
  return join(cacheFolder(), `postgres-${version}-${process.platform}-${process.arch}.tar`);
}

/** Opens a file that belongs to this user and that no other one can write; undefined when it is another. */
function openOwn(file: string): number | undefined {
  let opened: number;
  try {
    opened = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined; // None there.
  }
  if (belongs(fstatSync(opened))) return opened;
  closeSync(opened);
  return undefined;
}

/** Whether a folder is there, belongs to this user, and is one that no other one can write to. */
function isOwn(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && belongs(stat);
}

function belongs({ uid, mode }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o022) === 0;
}

async function tar(args: readonly string[], options: object): Promise<void> {
  const [code] = await once(spawn("tar", args, options), "exit");
  if (code !== 0) throw new Error(`tar ended with ${code}.`);
}
