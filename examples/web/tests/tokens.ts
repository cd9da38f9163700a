import { randomUUID } from "node:crypto";
import { readSettings, signToken } from "rowhouse";
import { inject } from "vitest";

/** A token for a user who need not exist yet; a negative life makes one that has expired. */
export function newToken(expiresIn = 600, id: string = randomUUID()): string {
  const settings = readSettings({ ROWHOUSE_HOME: inject("exampleHome") });
  return signToken(settings, { id, email: `${id}@example.com` }, expiresIn);
}
