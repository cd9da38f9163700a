import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** How the programs of PostgreSQL are run, and where they can read and write. */
export interface Identity {
  /** Put before the command. */
  readonly prefix: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** The folder of the PostgreSQL programs, readable for them. */
  readonly native: string;
  /** The folder in which the data lies, writable for them. */
  readonly place: string;
}

/** The user and group that own nothing, on every Linux. */
const nobody = 65534;
let mayUnshare: boolean | undefined;
const unshare = ["unshare", "--user", `--map-user=${nobody}`, `--map-group=${nobody}`];

/**
 * PostgreSQL refuses to run as root. Root therefore runs it in a user namespace in which it is
 * nobody, while its files stay root's: that works in a 0700 home and needs no new user. Where
 * namespaces are refused, as in many containers, it runs as nobody outright; if nobody cannot
 * reach the home or the programs, data and a copy of the programs are put below /var/lib.
 *
 * @param native The folder of the PostgreSQL programs.
 * @param home The folder in which the data belongs.
 */
export function chooseIdentity(native: string, home: string): Identity {
  if (process.getuid?.() !== 0) return { prefix: [], native, place: home };
  mayUnshare ??= spawnSync("unshare", [...unshare.slice(1), "true"]).status === 0;
  if (mayUnshare) {
    return { prefix: unshare, native, place: home };
  }
  return { prefix: [], uid: nobody, gid: nobody, ...findPlaces(native, home) };
}

/** Gives a file or folder to the user that PostgreSQL runs as. */
export function give(path: string, { uid, gid }: Identity): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function findPlaces(native: string, home: string): Pick<Identity, "native" | "place"> {
  const name = createHash("sha256").update(home).digest("hex").slice(0, 12);
  const outside = join("/var/lib/rowhouse", name);
  const place = isReachable(home) ? home : outside;
  mkdirSync(place, { recursive: true, mode: 0o711 });
  if (isReachable(native)) return { native, place };
  const copy = join(outside, `postgresql-${packageVersion(native)}`);
  if (!existsSync(join(copy, "bin", "postgres"))) {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  }
  return { native: copy, place };
}

function packageVersion(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8"));
  return String(version);
}

/** Whether all users may pass through a folder and all folders above it. */
function isReachable(folder: string): boolean {
  const passable = (statSync(folder).mode & 0o001) !== 0;
  const above = dirname(folder);
  return passable && (above === folder || isReachable(above));
}
