import type { CatalogEntry } from "../catalog/catalog.ts";
import type { Privileges } from "./grants.ts";
import type { Hazard } from "./hazard.ts";

/** How statements in the project's style drop something that holds data or grants. */
const drops: readonly [kind: string, pattern: RegExp][] = [
  ["table", /^drop (?:table|view|materialized view|foreign table) (\S+)$/],
  ["function", /^drop (?:function|procedure) (.+)$/],
  ["type", /^drop (?:type|domain) (\S+)$/],
  // How pg-delta takes a label out of an enum: there is a new type of that name then.
  ["type", /^alter type (\S+) rename to \S+__pgdelta_replaced$/],
  ["sequence", /^drop sequence (\S+)$/],
  ["column", /^alter (?:foreign )?table (\S+)\s+drop column (\S+)$/],
];

/** What statements drop, as "table api.tasks" or "column api.tasks.title". */
function listDropped(statements: readonly string[]): string[] {
  return statements.flatMap((sql) =>
    drops.flatMap(([kind, pattern]) => {
      const [, ...names] = pattern.exec(sql) ?? [];
      // PostgreSQL names a function without the spaces that a statement has.
      return names.length > 0 ? [`${kind} ${names.join(".").replaceAll(", ", ",")}`] : [];
    }),
  );
}

/** Privileges without those that go with what is dropped, even if it is made again. */
export function withoutDropped(
  { held, defaults, objects }: Privileges,
  statements: readonly string[],
): Privileges {
  const gone = new Set(listDropped(statements));
  return {
    held: held.filter(
      ({ type, name, column }) =>
        !gone.has(`${type} ${name}`) && !gone.has(`column ${name}.${column}`),
    ),
    defaults,
    objects: new Map([...objects].filter(([name]) => !gone.has(name))),
  };
}

/**
 * Tables and columns that are dropped and created again, which a comparison of before and after does
 * not show. A column that PostgreSQL computes, before and after, holds nothing.
 */
export function findRecreated(
  statements: readonly string[],
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const gone = new Set(listDropped(statements));
  const isComputed = ({ definition }: CatalogEntry) =>
    / (stored|virtual)$/.test(definition.split(" default ", 1)[0] ?? "");
  return after.flatMap((now): Hazard[] => {
    const { kind, name } = now;
    const old = before.find((entry) => entry.kind === kind && entry.name === name);
    if (old === undefined || !gone.has(`${kind} ${name}`)) return [];
    if (kind === "table" && /^(view|materialized|composite)/.test(old.definition)) return [];
    if (kind === "column" && isComputed(old) && isComputed(now)) return [];
    if (kind !== "table" && kind !== "column") return [];
    const message = `It drops the ${kind} ${name} with all its data, and creates it again.`;
    return [{ kind: "drop", object: name, message }];
  });
}

/** "api.tasks" of "api.tasks.title". */
export function parseTable(column: string): string {
  return column.replace(/\.(?:"(?:[^"]|"")*"|\w+)$/, "");
}

/**
 * The tables that lose a column which can only come back while they are empty: it takes no null,
 * and PostgreSQL has no value for it.
 */
export function tablesToEmpty(
  hazards: readonly Hazard[],
  before: readonly CatalogEntry[],
): string[] {
  const columns = before.filter(
    ({ kind, name, definition }) =>
      kind === "column" &&
      hazards.some((hazard) => hazard.kind === "drop" && hazard.object === name) &&
      / not null\b/.test(definition) &&
      !/ (default|identity|stored|virtual)\b/.test(definition),
  );
  return [...new Set(columns.map(({ name }) => parseTable(name)))];
}
