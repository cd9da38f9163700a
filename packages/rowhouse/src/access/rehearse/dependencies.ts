import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { ApiRole } from "../model/model.ts";

/** A function, table or view that a condition can call or read. */
export interface Thing {
  readonly kind: "function" | "relation";
  readonly schema: string;
  readonly name: string;
  /** All that decides what it gives to a role of the API. */
  readonly definition: string;
  /** Whether the definition does not show what it does. */
  readonly opaque: boolean;
  /** The roles that may call it. */
  readonly usableBy: readonly ApiRole[];
}

const query = readFileSync(join(import.meta.dirname, "dependencies.sql"), "utf8");

/** Reads what conditions can call or read. The search path has to be empty. */
export async function readDependencies(client: pg.ClientBase): Promise<Thing[]> {
  return (await client.query<Thing>(query)).rows;
}

/** What a condition calls or reads, itself and through others, as far as their texts show. */
export function findUsed(sql: string, things: readonly Thing[]): Thing[] {
  const used = new Set<Thing>();
  const texts = [sql];
  for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
    for (const thing of things) {
      if (used.has(thing) || !mentions(text, thing)) continue;
      used.add(thing);
      texts.push(thing.definition);
    }
  }
  return [...used];
}

/** Rather too often than too rarely: a name without its schema counts, too. */
function mentions(text: string, { kind, schema, name }: Thing): boolean {
  if (!text.includes(name)) return false;
  const [space, called] = [schema, name].map((word) => word.replace(/\W/g, "\\$&"));
  const pattern =
    kind === "function"
      ? `(?<![\\w$])"?${called}"?\\s*\\(`
      : `(?:\\bfrom|\\bjoin|,|\\()\\s*(?:only\\s+)?\\(*(?:"?${space}"?\\.)?"?${called}"?(?![\\w$".])`;
  return new RegExp(pattern, "i").test(text);
}

/** The things that changed, or are new, among the dependencies. */
export function findChangedThings(before: readonly Thing[], after: readonly Thing[]): Thing[] {
  const known = new Set(before.map(getKey));
  return after.filter((thing) => !known.has(getKey(thing)));
}

function getKey({ kind, schema, name, definition }: Thing): string {
  return JSON.stringify([kind, schema, name, definition]);
}

/** Words with which a condition can read other rows, or look at who runs it. */
const revealing =
  /\b(from|join|execute|perform|query|into|user|current_user|current_role|session_user|role|pg_has_role|has_\w+_privilege|row_security_active)\b/i;

/**
 * Whether a condition comes to the same for the owner of the database as for a role: it looks at
 * nothing but its row and the claims, and calls nothing that the role may not call.
 */
export function isPlain(sql: string, things: readonly Thing[], role: ApiRole): boolean {
  if (revealing.test(sql)) return false;
  return findUsed(sql, things).every(
    ({ definition, opaque, usableBy }) =>
      !opaque && !revealing.test(stripComments(definition)) && usableBy.includes(role),
  );
}

/** A function's text without its comments. */
function stripComments(definition: string): string {
  return definition.replace(/--.*$/gm, "");
}
