import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Answer, Ask, Caller } from "./api.ts";
import type { TestRow } from "./backend.ts";

/** Headers with which a write answers with the rows that it left. */
export const returnRows = { prefer: "return=representation" };

/** Headers that ask for one row, and not for a list. */
export const oneRow = { accept: "application/vnd.pgrst.object+json" };

/** An id that a client may give to a row: a UUID of version 7, as far as its shape goes. */
export function newId(): string {
  return randomUUID().replace(/^(.{14})./, "$17");
}

/**
 * Reads rows.
 *
 * @param path "/notes?order=id"
 * @throws when the API answers with anything but rows.
 */
export async function readRows(user: Caller, path: string, ask?: Ask): Promise<TestRow[]> {
  const { status, body } = await user.ask(path, ask);
  if (Array.isArray(body)) return body;
  throw new Error(`${path} answered ${status} ${JSON.stringify(body)}`);
}

/**
 * Creates rows, and returns them as they are stored.
 *
 * @param path "/notes"
 * @throws when the API refuses them.
 */
export async function createRows(
  user: Caller,
  path: string,
  ...rows: TestRow[]
): Promise<TestRow[]> {
  return readRows(user, path, { method: "POST", headers: returnRows, body: rows });
}

/** What an error answers, for toMatchObject: its status, and the code and more in its body. */
export function errorAnswer(status: number, code: string, rest: TestRow = {}): Partial<Answer> {
  return { status, body: expect.objectContaining({ code, ...rest }) };
}
