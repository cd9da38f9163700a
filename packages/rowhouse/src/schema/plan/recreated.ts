import { type CatalogEntry, isKind, listKind } from "../catalog/catalog.ts";
import { listDropped } from "./dropped.ts";
import type { Privileges } from "./grants.ts";
import type { Hazard } from "./hazard.ts";

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
  return after.flatMap((now): Hazard[] => {
    const { kind, name } = now;
    const old = before.find((entry) => entry.kind === kind && entry.name === name);
    if (old === undefined || !gone.has(`${kind} ${name}`) || !holdsRows(old, now)) return [];
    const message = `It drops the ${kind} ${name} with all its data, and creates it again.`;
    return [{ kind: "drop", object: name, message }];
  });
}

function holdsRows(old: CatalogEntry, now: CatalogEntry): boolean {
  if (isKind(old, "table")) return /table$/.test(old.facts.relation);
  if (!isKind(old, "column") || !isKind(now, "column")) return false;
  return old.facts.generated === null || now.facts.generated === null;
}

/**
 * The tables that lose a column which can only come back while they are empty: it takes no null,
 * and PostgreSQL has no value for it.
 */
export function tablesToEmpty(
  hazards: readonly Hazard[],
  before: readonly CatalogEntry[],
): string[] {
  const dropped = new Set(
    hazards.filter(({ kind }) => kind === "drop").map(({ object }) => object),
  );
  const columns = listKind(before, "column").filter(
    ({ name, facts }) =>
      dropped.has(name) &&
      facts.notNull &&
      facts.default === null &&
      facts.identity === null &&
      facts.generated === null,
  );
  return [...new Set(columns.map(({ facts }) => facts.table))];
}
