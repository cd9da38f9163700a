import {
  type CatalogEntry,
  compareCatalogs,
  type KnownEntry,
  listKind,
} from "../catalog/catalog.ts";
import type { Hazard } from "./hazard.ts";
import { findLabels } from "./labels.ts";
import { ownerHazards } from "./owners.ts";
import {
  builtInDefaults,
  looserPolicies,
  openGrants,
  openPolicies,
  type PublicRoles,
  restoredGrants,
  strongerRoles,
} from "./public-access.ts";
import { findRecreated } from "./recreated.ts";
import { getLastName } from "./rename.ts";
import type { Snapshot } from "./snapshot.ts";

/** The two databases that a plan leads between. */
export interface Change {
  readonly before: readonly CatalogEntry[];
  readonly after: readonly CatalogEntry[];
  /** The roles of an anonymous request afterwards. */
  readonly publicRoles: PublicRoles;
  /** What leads there: only they show what is dropped and created again. */
  readonly statements?: readonly string[];
}

/** The hazards on the way from one database to another, which statements lead. */
export function findPlanHazards(
  [from, to]: readonly [Snapshot, Snapshot],
  statements: readonly string[],
): Hazard[] {
  const publicRoles = new Set([...from.publicRoles, ...to.publicRoles]);
  return findHazards({ before: from.catalog, after: to.catalog, publicRoles, statements });
}

/** The hazards of a change, by what both databases hold. */
export function findHazards({ before, after, publicRoles, statements = [] }: Change): Hazard[] {
  const { missing: gained, surplus: lost } = compareCatalogs(after, before);
  const columns = withoutViews(listKind(lost, "column"), before);
  return [
    ...droppedTables(lost, gained, after),
    ...droppedColumns(columns, gained, after),
    ...findRecreated(statements, before, after),
    ...conversions(columns, gained),
    ...droppedLabels(lost, gained),
    ...disabledRowSecurity(lost, after),
    ...openGrants(gained, publicRoles),
    ...restoredGrants(lost, publicRoles),
    ...builtInDefaults(lost, after),
    ...openPolicies(lost, gained, publicRoles),
    ...looserPolicies(lost, after, publicRoles),
    ...strongerRoles(lost, gained),
    ...ownerHazards(gained, after, publicRoles),
  ];
}

type Table = KnownEntry<"table">;
type Column = KnownEntry<"column">;

/** Whether it has rows, or numbers, of its own. */
function holdsData({ facts: { relation } }: Table): boolean {
  return !["view", "materialized view", "composite type"].includes(relation);
}

/** Without the columns of views, which hold nothing of their own. */
function withoutViews(columns: readonly Column[], before: readonly CatalogEntry[]): Column[] {
  const isView = ({ facts: { relation } }: Table) => /view$/.test(relation);
  const views = new Set(
    listKind(before, "table")
      .filter(isView)
      .map(({ name }) => name),
  );
  return columns.filter(({ facts }) => !views.has(facts.table));
}

/** Tables and sequences that hold data before and are not there after. */
function droppedTables(
  lost: readonly CatalogEntry[],
  gained: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const left = new Set(listKind(after, "table").map(({ name }) => name));
  const made = listKind(gained, "table");
  return listKind(lost, "table")
    .filter((table) => holdsData(table) && !left.has(table.name))
    .map((table) => {
      const { name, definition, facts } = table;
      // To a comparison, a new name is a loss and a gain.
      const heir = made.find(
        (one) => one.definition === definition && one.facts.schema === facts.schema,
      );
      const renaming = heir
        ? ` If ${heir.name} is its new name, \`rowhouse db migration <name> --rename ${name}=${getLastName(heir.name)}\` keeps it.`
        : "";
      return {
        kind: "drop",
        object: name,
        message: `It drops the table ${name} with all its data.${renaming}`,
      };
    });
}

/** Columns that are not there after, of tables that are. */
function droppedColumns(
  lost: readonly Column[],
  gained: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const left = new Set(listKind(after, "column").map(({ name }) => name));
  const tables = new Set(listKind(after, "table").map(({ name }) => name));
  const made = listKind(gained, "column");
  return lost
    .filter(({ name, facts }) => !left.has(name) && tables.has(facts.table))
    .map(({ name, definition, facts }) => {
      const heir = made.find(
        (one) => one.definition === definition && one.facts.table === facts.table,
      );
      const renaming = heir
        ? ` If ${heir.name} is its new name, \`rowhouse db migration <name> --rename ${name}=${heir.facts.column}\` keeps it.`
        : "";
      return {
        kind: "drop",
        object: name,
        message: `It drops the column ${name} with all its data.${renaming}`,
      };
    });
}

/** Columns that change their type: a conversion can lose what the old one held. */
function conversions(lost: readonly Column[], gained: readonly CatalogEntry[]): Hazard[] {
  const now = new Map(listKind(gained, "column").map(({ name, facts }) => [name, facts.type]));
  return lost.flatMap(({ name, facts: { type } }) => {
    const other = now.get(name);
    if (other === undefined || other === type) return [];
    return {
      kind: "drop" as const,
      object: name,
      message: `It turns the column ${name} from ${type} into ${other}, which can lose what it holds.`,
    };
  });
}

/** Labels that an enum loses: rows may hold them. */
function droppedLabels(lost: readonly CatalogEntry[], gained: readonly CatalogEntry[]): Hazard[] {
  const now = new Map(listKind(gained, "type").map((type) => [type.name, type]));
  return listKind(lost, "type").flatMap((old) => {
    const other = now.get(old.name);
    if (other === undefined) return [];
    const left = new Set(findLabels(other));
    return findLabels(old)
      .filter((label) => !left.has(label))
      .map((label) => ({
        kind: "drop" as const,
        object: old.name,
        message: `It drops the label ${label} of the type ${old.name}: where a row holds it, the migration fails.`,
      }));
  });
}

/** Tables whose row-level security was on, or forced, and no longer is. */
function disabledRowSecurity(
  lost: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const now = new Map(listKind(after, "table").map(({ name, facts }) => [name, facts]));
  return listKind(lost, "table").flatMap(({ name, facts: old }): Hazard[] => {
    const other = now.get(name);
    if (other === undefined) return [];
    const isOff = old.rowSecurity && !other.rowSecurity;
    if (!isOff && !(old.forced && !other.forced)) return [];
    const what = isOff ? "turns row-level security off" : "no longer forces row-level security";
    return [{ kind: "rls-off", object: name, message: `It ${what} on ${name}.` }];
  });
}
