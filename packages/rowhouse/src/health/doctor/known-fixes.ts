/** When this table was brought up to date. Do so at each release of PostgreSQL. */
export const knownAt = "2026-11-21";

/**
 * The first minor release of each major of PostgreSQL with the security fixes known then: 15.20 of
 * November 2026, 16.15 and 17.11 of August, 18.7.
 */
export const postgresFixes: Readonly<Record<number, number>> = { 15: 20, 16: 15, 17: 11, 18: 7 };

/** The newest PostgREST known then. */
const newestPostgrest = "16.5";

/** What is wrong with the versions of PostgREST from one on, and below another. */
export interface PostgrestFault {
  /** The first version with it; all before `until` when left out. */
  readonly from?: string;
  /** The first version without it. */
  readonly until: string;
  /** Wrong when it meets projects as they are, else a note. */
  readonly level: "wrong" | "note";
  /** Goes on after "PostgREST <version>". */
  readonly text: string;
  readonly remedy: string;
}

const upgrade = `Upgrade to ${newestPostgrest} or newer (POSTGREST_BIN; POSTGREST_VERSION for compose).`;
const issuedAtFuture = {
  level: "wrong",
  text: 'refuses sound tokens now and then, with "JWT issued at future" (PostgREST#5196)',
} as const;

/**
 * Faults that have been mended since, of PostgREST's changelog. Only 12.0.2 was run.
 *
 * "JWT issued at future": mended on 8 September 2026 for 14 and 16; 14.17 and 16.2 are of August.
 */
export const postgrestFaults: readonly PostgrestFault[] = [
  {
    until: "14",
    level: "wrong",
    text: "is no longer maintained: it gets no security fixes",
    remedy: upgrade,
  },
  {
    until: "14.4",
    level: "wrong",
    text: "may answer a PATCH that filters with or= or and= with other rows than it changed (PostgREST#3707)",
    remedy: `Filter by the key alone where a PATCH returns rows. ${upgrade}`,
  },
  { ...issuedAtFuture, from: "14", until: "14.18", remedy: "Upgrade to 14.18, or to 16.3." },
  { ...issuedAtFuture, from: "15", until: "16.3", remedy: upgrade },
  {
    until: "16",
    level: "note",
    text: "runs a request that raises 40001 again and again, without end (PostgREST#3673)",
    remedy: `Raise another SQLSTATE: \`npx rowhouse lint\` finds 40001. ${upgrade}`,
  },
];

/** Below 12.2.9 a token that PostgREST has cached outlives a change of the secret (PostgREST#4014). */
export const jwtCacheFix = "12.2.9";
