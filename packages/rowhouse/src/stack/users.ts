import type pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { exactJson } from "./exact-json.ts";

/**
 * Runs a query over the users. The numbers in their claims are those of parseJson.
 *
 * @throws RowhouseError settings_invalid when PostgreSQL refuses the project's own query of them.
 */
export async function queryUsers<T extends pg.QueryResultRow>(
  client: pg.ClientBase,
  sql: string,
  values: readonly unknown[],
): Promise<T[]> {
  try {
    const { rows } = await client.query<T>({ text: sql, values: [...values], types: exactJson });
    if (rows.every(({ claims }) => isObject(claims ?? {}))) return rows;
  } catch (error) {
    if (isOfServer(errorCode(error) ?? "")) throw error;
    throw usersInvalid(errorMessage(error), error);
  }
  throw usersInvalid('the column "claims" holds what is no JSON object');
}

function usersInvalid(fault: string, cause?: unknown): RowhouseError {
  return new RowhouseError(
    "settings_invalid",
    `The users cannot be read: ${fault}.`,
    'Correct "users" in package.json: a table, or a query like "select id, email from ...".',
    { cause },
  );
}

/** Of a connection, a timeout or the server, and not of the query. */
function isOfServer(code: string): boolean {
  return !/^[0-9A-Z]{5}$/.test(code) || /^(?:08|53|55|57|58|XX)/.test(code);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && !Array.isArray(value);
}
