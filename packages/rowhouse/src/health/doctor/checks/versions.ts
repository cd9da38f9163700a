import { execFileSync } from "node:child_process";
import type pg from "pg";
import { findPostgrest, isEmbeddedPostgrest } from "../../../stack/binaries.ts";
import { withClient } from "../../../stack/database.ts";
import { readPostgrestConf } from "../../../stack/postgrest-conf.ts";
import { type DatabaseContext, type Finding, wrong } from "../check.ts";
import {
  jwtCacheFix,
  knownAt,
  type PostgrestFault,
  postgresFixes,
  postgrestFaults,
} from "../known-fixes.ts";

/** Versions behind known fixes: of the server, and of each PostgREST that serves it. */
export async function checkVersions({ url, settings }: DatabaseContext): Promise<Finding[]> {
  const [postgres, served] = await withClient(url, readVersions);
  const program = findPostgrest(settings.postgrestBin);
  const output = execFileSync(program, ["--version"], { encoding: "utf8" });
  const own = /[\d.]+\d/.exec(output)?.[0] ?? "0";
  const cached = readPostgrestConf(settings.project.postgrestConf).jwtCache;
  return [
    ...postgresFindings(postgres, settings.databaseUrl === undefined),
    ...postgrestFindings(own, isEmbeddedPostgrest(program), cached),
    ...served
      .filter((version) => version !== own)
      .flatMap((version) => postgrestFindings(version, false, cached)),
  ];
}

/**
 * The version of the server, as in server_version_num, and those of the PostgRESTs that serve the
 * database: they name themselves on their connections, to those who may see them.
 */
export async function readVersions(
  client: pg.Client,
): Promise<[postgres: number, postgrest: string[]]> {
  const { rows } = await client.query<{ postgres: number; served: string[] }>(`
    select
      current_setting('server_version_num')::int as postgres,
      array(
        select distinct substring(application_name from '^PostgREST ([0-9]+([.][0-9]+)+)')
        from pg_catalog.pg_stat_activity
        where datname = current_database()
        and application_name ~ '^PostgREST [0-9]+[.][0-9]'
        order by 1
      ) as served`);
  return [rows[0]?.postgres ?? 0, rows[0]?.served ?? []];
}

/**
 * Findings about a version of PostgreSQL.
 *
 * @param version As in server_version_num: 180004.
 * @param embedded The embedded one cannot be newer than npm has it.
 */
export function postgresFindings(version: number, embedded: boolean): Finding[] {
  const [major, minor] = [Math.floor(version / 10_000), version % 10_000];
  const least = postgresFixes[major];
  if (least === undefined) {
    return [
      wrong(
        `PostgreSQL ${major} is none that Rowhouse knows security fixes of (as of ${knownAt}).`,
        `Use one of ${Object.keys(postgresFixes).join(", ")}.`,
      ),
    ];
  }
  if (minor >= least) return [];
  const message = `PostgreSQL ${major}.${minor} lacks the security fixes of ${major}.${least} (as of ${knownAt})`;
  return embedded
    ? [
        {
          level: "note",
          message: `The embedded ${message}: it listens on this machine alone.`,
          remedy: "Keep it to development; for more, name a server of your own in DATABASE_URL.",
        },
      ]
    : [wrong(`${message}.`, `Upgrade to ${major}.${least} or newer: only the programs change.`)];
}

/**
 * Findings about a version of PostgREST.
 *
 * @param embedded The embedded one cannot be newer than npm has it: its faults are one note.
 * @param cached Whether its JWT cache is on.
 */
export function postgrestFindings(version: string, embedded: boolean, cached: boolean): Finding[] {
  const faults = postgrestFaults.filter(
    ({ from = "0", until }) => !isBefore(version, from) && isBefore(version, until),
  );
  return [
    ...(embedded ? summarize(version, faults) : faults.map((fault) => describe(version, fault))),
    ...(cached && isBefore(version, jwtCacheFix) ? [cacheFinding(version)] : []),
  ];
}

function describe(version: string, { level, text, remedy }: PostgrestFault): Finding {
  return { level, message: `PostgREST ${version} ${text}.`, remedy };
}

function summarize(version: string, faults: readonly PostgrestFault[]): Finding[] {
  if (faults.length === 0) return [];
  return [
    {
      level: "note",
      message: `The embedded PostgREST ${version} ${faults.map(({ text }) => text).join("; it ")}.`,
      remedy: "Keep it to development; for more, name a newer one in POSTGREST_BIN.",
    },
  ];
}

/** A note: `rowhouse keys rotate --revoke` restarts PostgREST itself. */
function cacheFinding(version: string): Finding {
  return {
    level: "note",
    message: `PostgREST ${version} is older than ${jwtCacheFix} and its JWT cache is on: a token of a removed key works until it ends.`,
    remedy:
      "Restart PostgREST when a key was removed after a leak; `npx rowhouse keys rotate --revoke` does so.",
  };
}

/** Whether a version, such as 14.4, comes before another: 14.18. */
function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, "en", { numeric: true }) < 0;
}
