import { extract } from "@supabase/pg-delta/extract";
import pg from "pg";
import { openProject, type Platform } from "../../lib/project.ts";
import { withClient, withoutCompiling } from "../../stack/database.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import { readPublicRoles } from "./anonymous.ts";
import { type Privileges, readPrivileges } from "./grants.ts";
import { type Operator, readOperators } from "./operators.ts";
import { isOfPlatform } from "./platform.ts";
import type { PublicRoles } from "./public-access.ts";
import { readCatalogWithRoles } from "./roles.ts";
import { readStatistics, type StatisticsTarget } from "./statistics.ts";

/** All that a plan has to know of a database. */
export interface Snapshot {
  readonly facts: Awaited<ReturnType<typeof extract>>["factBase"];
  readonly catalog: readonly CatalogEntry[];
  readonly privileges: Privileges;
  /** The roles of an anonymous request. */
  readonly publicRoles: PublicRoles;
  readonly statistics: readonly StatisticsTarget[];
  readonly operators: readonly Operator[];
  /** The words that are no names unless they are quoted. */
  readonly keywords: ReadonlySet<string>;
  /** What in `facts` is not the project's; the rest is without it. */
  readonly platform: Platform;
}

/** What nothing in a database shows. */
export interface SnapshotOptions {
  /** The role of an anonymous request, where a configuration names it: see anonymous.ts. */
  readonly anonymous?: string | undefined;
  /** Roles that belong to it though the API cannot become them. */
  readonly roles?: readonly string[];
  /** What is not the project's; that of the working directory's project unless given. */
  readonly platform?: Platform;
}

/** Reads a database for planning; it is only read. */
export async function readSnapshot(
  url: string,
  { anonymous, roles = [], platform = openProject().platform }: SnapshotOptions = {},
): Promise<Snapshot> {
  // First, since it explains a database that cannot be reached.
  const catalog = await withClient(url, (client) => readCatalogWithRoles(client, roles, platform));
  const [facts, privileges, publicRoles, statistics, operators, keywords] = await Promise.all([
    readFacts(url),
    readPrivileges(url, platform),
    withClient(url, (client) => readPublicRoles(client, anonymous)),
    readStatistics(url),
    readOperators(url),
    readKeywords(url),
  ]);
  return {
    facts,
    catalog,
    privileges,
    publicRoles,
    statistics: statistics.filter(({ table }) => !isOfPlatform(table, platform)),
    operators: operators.filter((one) => !isOfPlatform(one.function ?? "", platform)),
    keywords,
    platform,
  };
}

async function readFacts(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  // Without a listener a connection that breaks between two queries would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    await pool.query(withoutCompiling);
    return (await extract(pool)).factBase;
  } finally {
    await pool.end();
  }
}

async function readKeywords(url: string): Promise<Set<string>> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ word: string }>("select word from pg_get_keywords() where catcode <> 'U'"),
  );
  return new Set(rows.map(({ word }) => word));
}
