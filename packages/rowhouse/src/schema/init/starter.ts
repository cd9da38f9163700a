import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import type { Platform } from "../../lib/project.ts";
import type { Served } from "./served.ts";

/** What the build puts beside the compiled sources: see build.js. */
const starterDir = join(import.meta.dirname, "../../starter");

/** The files of every project that is made here, by their paths. */
export function readStarter(): Map<string, string> {
  const entries = readdirSync(starterDir, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [
        relative(starterDir, path)
          .replaceAll("\\", "/")
          .replace(/(^|\/)dot-/, "$1."),
        readFileSync(path, "utf8"),
      ]),
  );
}

/**
 * The package.json of a project.
 *
 * @param folder Its name becomes the package's.
 */
export function packageJson(starter: string, folder: string, platform: Platform): string {
  const { dependencies, scripts, name: _, ...rest } = JSON.parse(starter);
  const { "@rowhouse/auth": __, ...needed } = dependencies;
  const isEmpty = Object.values(platform).every((list) => list.length === 0);
  const content = {
    name: packageName(folder),
    ...rest,
    // It begins with no tests.
    scripts: { ...scripts, test: `${scripts.test} --passWithNoTests` },
    dependencies: needed,
    ...(isEmpty ? {} : { rowhouse: { platform } }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The name of a package in a folder, by what npm takes. */
export function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" ? "my-app" : name.slice(0, 214);
}

/** The postgrest.conf of a project. */
export function postgrestConf(served: Served): string {
  const setting = (comment: string, key: string, value: string | undefined) =>
    value === undefined ? [] : [`# ${comment}`, `${key} = ${quote(value)}`, ""];
  return [
    "# What PostgREST is told, on every machine: `rowhouse start` and the commands read this file. Secrets and",
    "# addresses come from .env. What wins, from the least to the most: this file, PGRST_* variables, settings",
    "# of the database (`alter role authenticator set pgrst.<name> = '...'`).",
    "",
    ...setting(
      "The schemas that are served; the first is the default one.",
      "db-schemas",
      served.schemas.join(", "),
    ),
    ...setting(
      "What requests find without naming its schema.",
      "db-extra-search-path",
      served.extraSearchPath,
    ),
    ...setting("The role of a request without a token.", "db-anon-role", served.anonymous),
    ...setting("Runs before every request.", "db-pre-request", served.preRequest),
    ...(served.maxRows === undefined
      ? []
      : ["# The most rows in one response.", `db-max-rows = ${served.maxRows}`, ""]),
    "# Requests belong in the log of the proxy; here only what went wrong.",
    'log-level = "error"',
    "",
  ].join("\n");
}

function quote(value: string): string {
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
