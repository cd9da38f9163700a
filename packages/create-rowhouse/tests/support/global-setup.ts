import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { succeed, timed } from "./run.ts";

const packages = join(import.meta.dirname, "../../..");

/** The folder of each package, and the tarball that `npm pack` makes of it. */
export interface Tarballs {
  readonly rowhouse: string;
  readonly client: string;
  readonly auth: string;
  readonly createRowhouse: string;
}

declare module "vitest" {
  interface ProvidedContext {
    tarballs: Tarballs;
    toolsDir: string;
  }
}

/**
 * Vitest's global setup: packs the packages as a release does, once a run.
 *
 * @returns What removes them again.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-packed-"));
  project.provide("toolsDir", join(dir, "tools"));
  project.provide("tarballs", {
    rowhouse: await pack("rowhouse", dir),
    client: await pack("client", dir),
    auth: await pack("auth", dir),
    createRowhouse: await pack("create-rowhouse", dir),
  });
  return () => rmSync(dir, { recursive: true, force: true });
}

async function pack(folder: string, destination: string): Promise<string> {
  const root = join(packages, folder);
  await timed(`npm pack ${folder}`, () =>
    succeed("npm", ["pack", "--silent", "--pack-destination", destination], root),
  );
  const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
}
