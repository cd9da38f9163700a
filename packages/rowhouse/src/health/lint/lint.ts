import type pg from "pg";
import { findFaults } from "../../access/faults/faults.ts";
import { RowhouseError } from "../../lib/errors.ts";
import { findUnused, type LintSettings, withoutSwitchedOff } from "../../lib/lint-settings.ts";
import { readWaivers } from "../../lib/waivers.ts";
import { platforms, recognise } from "../../schema/init/platforms.ts";
import { groupBy } from "../../schema/plan/group.ts";
import type { ApiNames } from "../../stack/api-names.ts";
import { anonymousWrites, findAnonymousWrites } from "./anonymous-writes.ts";
import { faultRules } from "./fault-rules.ts";
import { bindNames, type RuleNames, readRuleNames } from "./names.ts";
import { type LintObject, readObjects } from "./objects.ts";
import { findPlannedCounts, plannedCounts } from "./planned-counts.ts";
import type { Finding, Rule } from "./rule.ts";
import { ownRules, readRules } from "./rules.ts";

/** What a check came to. */
export interface LintReport {
  /** In the order of the rules, then of the objects. */
  readonly findings: readonly Finding[];
  /** What breaks conventions that the project does not follow: no findings. */
  readonly counted: readonly Finding[];
  /** Whether the project follows the conventions. */
  readonly followsConventions: boolean;
  /** What findings can be about: where it is declared. */
  readonly objects: readonly LintObject[];
}

/** Which rules are checked, and which are switched off. */
export interface LintOptions {
  /** As package.json has it. */
  readonly off?: LintSettings;
  /** All of them unless given. */
  readonly rules?: readonly Rule[];
  /** The schemas of the platform; without any, those of the one that the database looks like. */
  readonly platform?: readonly string[];
}

/** One thing that breaks a rule, before those of one object are put together. */
interface Broken {
  readonly rule: string;
  readonly object: string;
  readonly finding: string;
  /** What it has in common with the finding of another rule that has the same cause. */
  readonly causes?: readonly string[];
}

async function choosePlatform(
  client: pg.ClientBase,
  named: readonly string[],
): Promise<readonly string[]> {
  if (named.length > 0) return named;
  const key = await recognise(client);
  return key === undefined ? [] : (platforms[key]?.schemas ?? []);
}

/**
 * Checks a database against rules. It writes nothing.
 *
 * @param client In a transaction, whose search path it empties.
 * @throws RowhouseError settings_invalid when a rule is switched off that there is not.
 */
export async function lint(
  client: pg.ClientBase,
  names: ApiNames,
  { off = {}, rules = readRules(), platform = [] }: LintOptions = {},
): Promise<LintReport> {
  assertKnown(off);
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set local search_path = ''");
  const ruleNames = await readRuleNames(client, names, await choosePlatform(client, platform));
  const followsConventions = ruleNames.follows_conventions;
  const all = await findBroken(client, rules, names, ruleNames);
  const objects = await readObjects(client, ruleNames);
  const { waivers, refused } = readWaivers(
    objects,
    readRules().map(({ name }) => name),
  );
  const checked = (settings: LintSettings) =>
    Object.fromEntries(
      Object.entries(settings).filter(([rule]) => rules.some(({ name }) => name === rule)),
    );
  const unused = [
    ...findUnused(all, checked(off)).map((one) => ({ ...one, where: `rowhouse.lint.${one.rule}` })),
    ...findUnused(all, checked(waivers)).map((one) => ({ ...one, where: one.object })),
  ];
  const wanted = withoutSwitchedOff(withoutSwitchedOff(all, off), waivers);
  const left = toFindings(rules, withoutKnownCauses(rules, wanted));
  const isCounted = ({ rule }: Finding) =>
    !followsConventions && rules.some(({ name, scope }) => name === rule && scope === "convention");
  return {
    findings: [
      ...left.filter((one) => !isCounted(one)),
      ...refused.map(({ object, finding }) => toOwn("refused_waivers", object, finding)),
      ...unused.map(({ rule, object, where }) =>
        toOwn("unused_settings", where, describeUnused(rule, object, where)),
      ),
    ],
    counted: left.filter(isCounted).map((one) => ({ ...one, level: "note" })),
    followsConventions,
    objects,
  };
}

/** What breaks the rules, in their order. */
async function findBroken(
  client: pg.ClientBase,
  rules: readonly Rule[],
  names: ApiNames,
  ruleNames: RuleNames,
): Promise<Broken[]> {
  const found = await findWithoutQuery(client, rules, names);
  const broken: Broken[] = [];
  for (const { name: rule, query } of rules) {
    if (query === undefined) broken.push(...found.filter((one) => one.rule === rule));
    else {
      const { rows } = await client.query<Omit<Broken, "rule">>(bindNames(query, ruleNames));
      broken.push(...rows.map((row) => ({ ...row, rule })));
    }
  }
  return broken;
}

/**
 * Leaves out what another rule reports the cause of: one function can make many requests fail.
 *
 * @param broken What is neither switched off nor waived: a cause that is not reported hides nothing.
 */
function withoutKnownCauses(rules: readonly Rule[], broken: readonly Broken[]): Broken[] {
  const withQuery = new Set(
    rules.filter(({ query }) => query !== undefined).map(({ name }) => name),
  );
  const known = broken.filter(({ rule }) => withQuery.has(rule));
  const causes = new Set(known.flatMap((one) => one.causes ?? []));
  return broken.filter(
    (one) => withQuery.has(one.rule) || !one.causes?.some((cause) => causes.has(cause)),
  );
}

/** What breaks the rules that no single query finds. */
async function findWithoutQuery(
  client: pg.ClientBase,
  rules: readonly Rule[],
  names: ApiNames,
): Promise<Broken[]> {
  const isWanted = (wanted: readonly Pick<Rule, "name">[]) =>
    wanted.some(({ name }) => rules.some((rule) => rule.name === name));
  return [
    ...(isWanted(faultRules) ? await findFaults(client) : []),
    ...(isWanted([plannedCounts]) ? await findPlannedCounts(client) : []),
    ...(isWanted([anonymousWrites]) ? await findAnonymousWrites(client, names) : []),
  ];
}

/** One finding for each rule and object that breaks it, in the order of the rules. */
function toFindings(rules: readonly Rule[], broken: readonly Broken[]): Finding[] {
  return rules.flatMap((rule) =>
    toFindingsOf(
      rule,
      broken.filter((one) => one.rule === rule.name),
    ),
  );
}

function toFindingsOf({ name, level, why, remedy }: Rule, broken: readonly Broken[]): Finding[] {
  const groups = [...groupBy(broken, ({ object }) => object)];
  return groups
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([object, group]) => {
      const findings = [...new Set(group.map(({ finding }) => finding))].sort();
      return { rule: name, level, object, findings, why, do: remedy };
    });
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

/** What a setting or waiver that is for nothing is reported as: it hides what comes later. */
function describeUnused(rule: string, object: string, where: string): string {
  if (where === object) return `its comment waives ${rule}, which it does not break`;
  return object === "" ? "nothing breaks this rule" : `${object} does not break this rule`;
}

/** A finding about what the project says of findings. */
function toOwn(name: string, object: string, finding: string): Finding {
  const rule = ownRules.find((one) => one.name === name);
  if (rule === undefined) throw new Error(`There is no rule ${name}.`);
  const { level, why, remedy } = rule;
  return { rule: name, level, object, findings: [finding], why, do: remedy };
}
