import { RowhouseError } from "../../lib/errors.ts";
import { parseJsonObject } from "../../lib/json.ts";
import type { Claims } from "../model/caller.ts";
import type { Relation, Verb } from "../model/model.ts";
import { type Patch, rowInvalid } from "./rows.ts";

/** May this caller do this? */
export interface Question {
  /** An email address, a user's id, or the anonymous role; missing where the claims say it all. */
  readonly as?: string | undefined;
  /** Further claims of the token; none when missing. `as` decides on the claims sub and role. */
  readonly claims?: Claims;
  readonly verb: Verb;
  readonly table: string;
  /** Null asks for any row. */
  readonly id: string | null;
  /** The user whose row it is; null means any user's. */
  readonly owner: string | null;
  /** A row to insert, or the columns that an update changes; null for neither. */
  readonly row: Patch | null;
  /** Whether the insert updates a row with the same primary key (resolution=merge-duplicates). */
  readonly upsert?: boolean;
  /** Whether the request wants the whole row back (return=representation). */
  readonly returning?: boolean;
}

/**
 * Makes sure that a question has an answer.
 *
 * @throws RowhouseError row_invalid
 */
export function assertMakesSense({ verb, id, row, upsert, returning }: Question): void {
  if (upsert && verb !== "insert")
    throw rowInvalid("Only an insert takes --upsert.", "Ask for insert, or leave --upsert out.");
  if (returning && verb === "select")
    throw rowInvalid("A select takes no --returning.", "Leave it out: a select gives rows back.");
  if (row === null) return;
  if (verb === "select" || verb === "delete")
    throw rowInvalid(`A ${verb} takes no --row.`, "Leave it out, and name a row by its id.");
  if (verb === "insert" && id !== null)
    throw rowInvalid("An insert takes an id or --row, not both.", "Leave one of them out.");
  if (verb === "update" && id === null)
    throw rowInvalid("An update with --row needs the row's id.", "Name it behind the table.");
}

/** Makes sure that its row has columns of the table, and such as can be written. */
export function assertColumns({ fullName, columns }: Relation, { verb, row }: Question): void {
  for (const key of Object.keys(row ?? {})) {
    const column = columns.find((one) => one.name === key);
    if (column === undefined) {
      const known = columns.map((one) => one.name).join(", ");
      throw rowInvalid(`${fullName} has no column ${key}: its columns are ${known}.`);
    }
    if (column.generated || column.identity) {
      throw rowInvalid(`PostgreSQL itself fills ${key}: no ${verb} can set it.`);
    }
  }
}

/**
 * What `--claims` holds: all claims of the token, or those beside the ones that come from `--as`.
 *
 * @param as What `--as` holds; undefined without it.
 * @throws RowhouseError claims_invalid
 */
export function parseClaims(json: string, as: string | undefined): Claims {
  const claims = parseJsonObject(json, "--claims", (message) => claimsInvalid(message, as));
  const own = as === undefined ? [] : ["sub", "role"].filter((name) => Object.hasOwn(claims, name));
  if (own.length === 0) return claims;
  throw claimsInvalid(`--claims holds ${own.join(" and ")}, which --as decides.`, as);
}

function claimsInvalid(message: string, as: string | undefined): RowhouseError {
  return new RowhouseError(
    "claims_invalid",
    message,
    as === undefined
      ? `Give --claims a JSON object, like '{"sub": "42", "role": "authenticated"}'.`
      : `Give --claims a JSON object without sub and role, like '{"team": "red"}'.`,
  );
}
