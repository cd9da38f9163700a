/** When this table was brought up to date. Do so at each release of PostgreSQL. */
export const knownAt = "2026-11-21";

/**
 * The first minor release of each major of PostgreSQL with the security fixes known then: 15.20 of
 * November 2026, 16.15 and 17.11 of August, 18.7.
 */
export const postgresFixes: Readonly<Record<number, number>> = { 15: 20, 16: 15, 17: 11, 18: 7 };

/** Below it a token that PostgREST has cached outlives a change of the secret (PostgREST#4014). */
export const postgrestFix = "12.2.9";
