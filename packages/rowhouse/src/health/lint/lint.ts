import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type pg from "pg";
import { findFaults } from "../../access/faults/faults.ts";
import { RowhouseError } from "../../lib/errors.ts";
import { findUnused, type LintSettings, withoutSwitchedOff } from "../../lib/lint-settings.ts";
import { faultRules } from "./fault-rules.ts";
import { findPlannedCounts, plannedCounts } from "./planned-counts.ts";
import type { Level, Rule } from "./rule.ts";

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
  const rules = [...faultRules, plannedCounts].map((rule): Rule => ({ ...rule, query: undefined }));
  return [...rules, ...readFiles()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function readFiles(): Rule[] {
  return readdirSync(rulesDir).map((file) => {
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
 * Checks a database against rules. It writes nothing.
 *
 * @param client In a transaction, whose search path it empties.
 * @param off What is switched off, as package.json has it.
 * @returns What breaks them, in the order of the rules, then of the objects; and what is switched
 *   off for nothing, as notes.
 * @throws RowhouseError settings_invalid when a rule is switched off that there is not.
 */
export async function lint(
  client: pg.ClientBase,
  off: LintSettings = {},
  rules: readonly Rule[] = readRules(),
): Promise<Finding[]> {
  assertKnown(off);
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set local search_path = ''");
  const isFound = rules.some(({ query }) => query === undefined);
  const found = isFound ? await findWithoutQuery(client) : [];
  const findings: Finding[] = [];
  for (const { name, level, why, remedy, query } of rules) {
    const rows =
      query === undefined
        ? found.filter(({ rule }) => rule === name)
        : (await client.query<{ object: string; finding: string }>(query)).rows;
    const broken = rows.map(({ object, finding }) => ({
      rule: name,
      level,
      object,
      finding,
      why,
      do: remedy,
    }));
    findings.push(...broken.sort(byObject));
  }
  const checked = Object.entries(off).filter(([rule]) => rules.some(({ name }) => name === rule));
  const unused = findUnused(findings, Object.fromEntries(checked));
  return [...withoutSwitchedOff(findings, off), ...unused.map(toFinding)];
}

/** What breaks the rules that no single query finds. */
async function findWithoutQuery(client: pg.ClientBase) {
  return [...(await findFaults(client)), ...(await findPlannedCounts(client))];
}

/** @throws RowhouseError settings_invalid */
function assertKnown(off: LintSettings): void {
  const known = readRules().map(({ name }) => name);
  const unknown = Object.keys(off).filter((rule) => !known.includes(rule));
  if (unknown.length === 0) return;
  throw new RowhouseError(
    "settings_invalid",
    `package.json switches off rules that there are not: ${unknown.map((rule) => `rowhouse.lint.${rule}`).join(", ")}.`,
    "Correct their names: `npx rowhouse lint --rules` lists them.",
  );
}

/** What a setting that switches off nothing is reported as: it hides what comes later. */
function toFinding({ rule, object }: { rule: string; object: string }): Finding {
  return {
    rule: unusedSettings.name,
    level: "note",
    object: `rowhouse.lint.${rule}`,
    finding: object === "" ? "nothing breaks this rule" : `${object} does not break this rule`,
    why: unusedSettings.why,
    do: unusedSettings.remedy,
  };
}

/** What `lint` says of its own settings: no rule, since it is about no database. */
export const unusedSettings: Rule = {
  name: "unused_settings",
  level: "note",
  why: "What is switched off for nothing hides what comes later.",
  remedy: "Take the entry out of package.json, or correct the name of the object.",
  query: undefined,
};

function byObject(one: Finding, other: Finding): number {
  const [first, second] = [one, other].map(({ object, finding }) => `${object}\n${finding}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}
