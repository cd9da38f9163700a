import { expect } from "vitest";
import type { Answer } from "../../src/testing/api.ts";

/**
 * What PostgREST answers where its versions differ, for toMatchObject. The first spelling is that
 * of 12.0.2, which these tests run; the others were read in src/PostgREST/Error.hs of 12.2.12,
 * 13.0.8, 14.17 and 16.2 (there in src/library), and not seen.
 */
function oneOf(statuses: number[], codes: string[], ...messages: string[]): Partial<Answer> {
  const message = messages.length === 0 ? {} : { message: expect.toBeOneOf(messages) };
  return {
    status: expect.toBeOneOf(statuses),
    body: expect.objectContaining({ code: expect.toBeOneOf(codes), ...message }),
  };
}

/** No such table. PGRST205 since 13.0.0. */
export const missingTable = oneOf([404], ["42P01", "PGRST205"]);

/** A token whose form or signature PostgREST refuses. Since 13 it names faulty claims PGRST303. */
export const invalidToken = oneOf([401], ["PGRST301", "PGRST303"]);

/**
 * A claim of the wrong type. PostgREST 12 refuses the token as a whole; later ones look at fewer
 * claims, and leave the rest to the pre-request check.
 */
export const invalidClaim = oneOf([401], ["PGRST301", "PGRST303", "PT401"]);

/** A token that is over. */
export const expiredToken = oneOf([401], ["PGRST301", "PGRST303"], "JWT expired");

/** A token before its nbf. */
export const earlyToken = oneOf(
  [401],
  ["PGRST301", "PGRST303"],
  "JWTNotYetValid",
  "JWT not yet valid",
);

/** A token whose iat is to come. */
export const futureToken = oneOf(
  [401],
  ["PGRST301", "PGRST303"],
  "JWTIssuedAtFuture",
  "JWT issued at future",
);

/** A token with a role that does not exist. 401 since 13.0.1. */
export const unknownRole = oneOf([400, 401], ["22023"]);

/** A schema that is not served. The message was rephrased in 13.0.7. */
export const unservedSchema = (schema: string) =>
  oneOf(
    [406],
    ["PGRST106"],
    "The schema must be one of the following: api",
    `Invalid schema: ${schema}`,
  );

/** A type of answer that PostgREST cannot give. 406 since 12.2. */
export const unknownMediaType = oneOf([415, 406], ["PGRST107"]);

/** A request that is too complex for PostgreSQL (54001). 500 since 12.2. */
export const tooComplex = oneOf([413, 500], ["54001"]);

/** A row that is twice in an upsert (21000). 500 since 12.2. */
export const twiceInUpsert = oneOf([400, 500], ["21000"]);
