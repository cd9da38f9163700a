import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { RuleNames } from "./names.ts";
import { bindNames } from "./names.ts";

/** Something that findings can be about. */
export interface LintObject {
  /** As findings name it. */
  readonly name: string;
  /** What declares it, as schema/catalog names that: "policy select_own on api.tasks"; null when not known. */
  readonly subject: string | null;
  /** A comment on it that has a waiver; null when it has none. */
  readonly comment: string | null;
}

const objectsQuery = readFileSync(join(import.meta.dirname, "objects.sql"), "utf8");

/** Reads what findings can be about. The search path is empty. */
export async function readObjects(
  client: pg.ClientBase,
  names: RuleNames,
): Promise<readonly LintObject[]> {
  return (await client.query<LintObject>(bindNames(objectsQuery, names))).rows;
}
