import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type pg from "pg";

/** Whether what breaks a rule has to be fixed, or is worth knowing and may be wanted. */
type Level = "error" | "note";

/** A project convention: one file in rules/. */
export interface Rule {
  /** The file's name. */
  readonly name: string;
  readonly level: Level;
  /** Why there is the rule, and what to do where it is broken: from the file's first lines. */
  readonly why: string;
  readonly remedy: string;
  /** Selects `object` and `finding` of all that breaks it. */
  readonly query: string;
}

/** Something that breaks a rule. */
export interface Finding {
  readonly rule: string;
  readonly level: Level;
  readonly object: string;
  /** What is wrong with the object: the end of a sentence that begins with its name. */
  readonly finding: string;
  readonly why: string;
  readonly do: string;
}

const rulesDir = join(import.meta.dirname, "rules");

/** All rules, by name. */
export function readRules(): Rule[] {
  return readdirSync(rulesDir)
    .sort()
    .map((file) => {
      const query = readFileSync(join(rulesDir, file), "utf8");
      const name = basename(file, ".sql");
      const level = header(query, "level") === "note" ? "note" : "error";
      return { name, level, why: header(query, "why"), remedy: header(query, "do"), query };
    });
}

/** The text after "-- <word>: ", to the next such line or the end of the comment. */
function header(query: string, word: string): string {
  const lines = query.match(new RegExp(`^-- ${word}: .*(?:\\n--   .*)*`, "m"))?.[0] ?? "";
  return lines
    .replace(`-- ${word}: `, "")
    .replace(/\n-- +/g, " ")
    .trim();
}

/**
 * Checks a database against all rules. It writes nothing.
 *
 * @param client In a transaction, whose search path it empties.
 * @returns What breaks them, in the order of the rules, then of the objects.
 */
export async function lint(client: pg.ClientBase): Promise<Finding[]> {
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set local search_path = ''");
  const findings: Finding[] = [];
  for (const { name, level, why, remedy, query } of readRules()) {
    const { rows } = await client.query<{ object: string; finding: string }>(query);
    const found = rows.map(({ object, finding }) => ({
      rule: name,
      level,
      object,
      finding,
      why,
      do: remedy,
    }));
    findings.push(...found.sort(byObject));
  }
  return findings;
}

function byObject(one: Finding, other: Finding): number {
  const [first, second] = [one, other].map(({ object, finding }) => `${object}\n${finding}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}
