import { type CatalogEntry, compareCatalogs } from "../catalog/catalog.ts";
import type { Hazard } from "./hazard.ts";
import { findLabels } from "./labels.ts";
import { findPublicRoles, looserPolicies, openPolicies } from "./public-access.ts";
import { findRecreated, parseTable } from "./recreated.ts";

/**
 * The hazards on the way from one database to another, by what they hold.
 *
 * @param statements What leads there: only they show what is dropped and created again.
 */
export function findHazards(
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  statements: readonly string[] = [],
): Hazard[] {
  const { missing: gained, surplus: lost } = compareCatalogs(after, before);
  const publicRoles = findPublicRoles(after);
  const held = withoutViews(lost, before);
  return [
    ...drops(held, gained, after),
    ...findRecreated(statements, before, after),
    ...conversions(held, gained),
    ...droppedLabels(lost, gained),
    ...disabledRowSecurity(lost, after),
    ...openGrants(gained, publicRoles),
    ...builtInDefaults(lost, after),
    ...openPolicies(lost, gained, publicRoles),
    ...looserPolicies(lost, after, publicRoles),
    ...strongerRoles(lost, gained),
  ];
}

/** Without views and their columns, which hold nothing of their own. */
function withoutViews(lost: readonly CatalogEntry[], before: readonly CatalogEntry[]) {
  const views = new Set(
    before
      .filter(({ kind, definition }) => kind === "table" && isView(definition))
      .map(({ name }) => name),
  );
  const isOfView = (column: string) => views.has(parseTable(column));
  return lost.filter(
    ({ kind, name }) =>
      !(kind === "table" && views.has(name)) && !(kind === "column" && isOfView(name)),
  );
}

function isView(definition: string): boolean {
  return /^(view|materialized view):/.test(definition);
}

/** Tables, sequences and columns that hold data before and are not there after. */
function drops(
  lost: readonly CatalogEntry[],
  gained: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const left = new Set(after.map(fullName));
  const holders = lost.filter(
    ({ kind, definition }) =>
      kind === "column" || (kind === "table" && !definition.startsWith("composite ")),
  );
  const gone = holders.filter((entry) => !left.has(fullName(entry)));
  const tables = gone.filter(({ kind }) => kind === "table").map(({ name }) => name);
  return gone
    .filter(({ kind, name }) => kind === "table" || !tables.some((t) => name.startsWith(`${t}.`)))
    .map((entry) => ({
      kind: "drop",
      object: entry.name,
      message: `It drops the ${entry.kind} ${entry.name} with all its data.${renaming(entry, gained)}`,
    }));
}

/** To a comparison, a new name is a loss and a gain. */
function renaming({ kind, name, definition }: CatalogEntry, gained: readonly CatalogEntry[]) {
  const place = (one: string) => one.replace(/[^.]*$/, "");
  const heir = gained.find(
    (one) => one.kind === kind && one.definition === definition && place(one.name) === place(name),
  );
  if (heir === undefined) return "";
  if (kind === "column")
    return ` If ${heir.name} is its new name, \`rowhouse db migration <name> --rename ${name}=${heir.name.slice(place(heir.name).length)}\` keeps it.`;
  return ` If ${heir.name} is its new name, write this migration by hand, with "rename".`;
}

/** Columns that change their type: a conversion can lose what the old one held. */
function conversions(lost: readonly CatalogEntry[], gained: readonly CatalogEntry[]): Hazard[] {
  const getType = ({ definition }: CatalogEntry) =>
    definition.replace(/ ?\b(not null|statistics|default|collate|identity|stored|virtual)\b.*/, "");
  const columns = gained.filter(({ kind }) => kind === "column");
  return lost
    .filter(({ kind }) => kind === "column")
    .flatMap((old) => {
      const now = columns.find(({ name }) => name === old.name);
      if (now === undefined || getType(now) === getType(old)) return [];
      return {
        kind: "drop" as const,
        object: old.name,
        message: `It turns the column ${old.name} from ${getType(old)} into ${getType(now)}, which can lose what it holds.`,
      };
    });
}

/** Labels that an enum loses: rows may hold them. */
function droppedLabels(lost: readonly CatalogEntry[], gained: readonly CatalogEntry[]): Hazard[] {
  return lost.flatMap((old) => {
    const now = gained.find((one) => one.kind === "type" && one.name === old.name);
    if (old.kind !== "type" || now === undefined) return [];
    const left = new Set(findLabels(now));
    return findLabels(old)
      .filter((label) => !left.has(label))
      .map((label) => ({
        kind: "drop" as const,
        object: old.name,
        message: `It drops the label ${label} of the type ${old.name}: where a row holds it, the migration fails.`,
      }));
  });
}

/** Grants, present and future ones, to anonymous requests. */
function openGrants(gained: readonly CatalogEntry[], publicRoles: ReadonlySet<string>): Hazard[] {
  const grants = gained.flatMap(({ kind, name, definition }) => {
    const [, object, role] =
      (kind === "grant" && /^(.*) to (\S+)$/.exec(name)) ||
      (kind === "default privilege" && /^for (?:\S+) on (.*)$/.exec(name)) ||
      [];
    return object ? [{ object, role: role ?? name.split(" ")[1], privilege: definition }] : [];
  });
  return grants
    .filter(({ role }) => publicRoles.has(role ?? ""))
    .map(({ object, role, privilege }) => ({
      kind: "anonymous",
      object: object.replace(/^(?:table column|[a-z]+) (?=\S)/, ""),
      message: `It grants ${privilege.toLowerCase()} on ${object} to ${role}.`,
    }));
}

/**
 * Default privileges that are as PostgreSQL has them: then the catalog has no entry, and all users
 * (PUBLIC) may execute new functions and use new types.
 */
function builtInDefaults(lost: readonly CatalogEntry[], after: readonly CatalogEntry[]): Hazard[] {
  const defaults = lost.filter(
    ({ kind, name }) =>
      kind === "default privilege" && /^for owner on (functions|types) in every/.test(name),
  );
  const left = new Set(after.map(fullName));
  return defaults
    .filter((entry) => !left.has(fullName(entry)))
    .map(({ name }) => ({
      kind: "anonymous",
      object: name.replace("for owner on ", ""),
      message: `It gives all users (PUBLIC) PostgreSQL's own default privileges on new ${name.replace("for owner on ", "")}.`,
    }));
}

/** Roles that become members of another one, or need not care for row-level security. */
function strongerRoles(lost: readonly CatalogEntry[], gained: readonly CatalogEntry[]): Hazard[] {
  const getPower = (role: CatalogEntry | undefined) =>
    role?.definition.match(/superuser|bypassrls|member of .*/g)?.join(" ") ?? "";
  return gained
    .filter(({ kind }) => kind === "role")
    .filter(
      (role) => getPower(role) !== getPower(lost.find((old) => fullName(old) === fullName(role))),
    )
    .map((role) => ({
      kind: "anonymous",
      object: role.name,
      message: `It gives the role ${role.name} another power: ${getPower(role) || "none"}.`,
    }));
}

/** Tables whose row-level security was on, or forced, and no longer is. */
function disabledRowSecurity(
  lost: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const tables = lost.filter(({ kind }) => kind === "table");
  return tables.flatMap(({ name, definition }): Hazard[] => {
    const now = after.find((entry) => entry.kind === "table" && entry.name === name)?.definition;
    const off = (was: string) => definition.includes(was) && now?.includes(was) === false;
    if (!off("row security enabled") && !off(" and forced")) return [];
    const what = off("row security enabled")
      ? "turns row-level security off"
      : "no longer forces row-level security";
    return [{ kind: "rls-off", object: name, message: `It ${what} on ${name}.` }];
  });
}

function fullName({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}
