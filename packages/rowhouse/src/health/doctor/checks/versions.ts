import { execFileSync } from "node:child_process";
import { findPostgrest } from "../../../stack/binaries.ts";
import { withClient } from "../../../stack/database.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";
import { knownAt, postgresFixes, postgrestFix } from "../known-fixes.ts";

/** Versions behind known security fixes. */
export async function checkVersions({ url, settings }: DoctorContext): Promise<Finding[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    ),
  );
  const embedded = settings.databaseUrl === undefined;
  const program = findPostgrest(settings.postgrestBin);
  const output = execFileSync(program, ["--version"], { encoding: "utf8" });
  return [
    ...postgresFindings(rows[0]?.version ?? 0, embedded),
    ...postgrestFindings(/[\d.]+\d/.exec(output)?.[0] ?? "0"),
  ];
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

/** Findings about a version of PostgREST. */
export function postgrestFindings(version: string): Finding[] {
  if (version.localeCompare(postgrestFix, "en", { numeric: true }) >= 0) return [];
  return [
    {
      level: "note",
      message: `PostgREST ${version} is older than ${postgrestFix}: where its JWT cache is on (here it is off), a token outlives a change of the secret.`,
      remedy: "Leave jwt-cache-max-lifetime alone, or name a newer one in POSTGREST_BIN.",
    },
  ];
}
