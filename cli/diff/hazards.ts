import { type CatalogEntry, compareCatalogs } from "../catalog/catalog.ts";

/** What a step must not do unasked. */
export type HazardKind = "drop" | "rls-off" | "anonymous";

/** A step that drops data, turns row-level security off, or opens something to everybody. */
export interface Hazard {
  readonly kind: HazardKind;
  /** What has to be named to allow it: "api.tasks.title", "api.tasks". */
  readonly object: string;
  /** What would happen, as a sentence. */
  readonly says: string;
}

/** The hazards on the way from one database to another, by what they hold and not by the SQL. */
export function hazardsBetween(
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const { missing: gained, surplus: lost } = compareCatalogs(after, before);
  return [
    ...drops(lost, after),
    ...conversions(lost, gained),
    ...closedNoMore(lost, after),
    ...openGrants(gained),
    ...builtInDefaults(lost, after),
    ...openPolicies(gained),
    ...strongerRoles(lost, gained),
  ];
}

/** Tables, sequences and columns that hold data before and are not there after. */
function drops(lost: readonly CatalogEntry[], after: readonly CatalogEntry[]): Hazard[] {
  const left = new Set(after.map(nameOf));
  const holders = lost.filter(
    ({ kind, definition }) =>
      kind === "column" || (kind === "table" && !/^(view|composite)/.test(definition)),
  );
  const gone = holders.filter((entry) => !left.has(nameOf(entry)));
  const tables = gone.filter(({ kind }) => kind === "table").map(({ name }) => name);
  return gone
    .filter(({ kind, name }) => kind === "table" || !tables.some((t) => name.startsWith(`${t}.`)))
    .map(({ kind, name }) => ({
      kind: "drop",
      object: name,
      says: `It drops the ${kind} ${name} with all that it holds.`,
    }));
}

/** Columns that change their type: a conversion can lose what the old one held. */
function conversions(lost: readonly CatalogEntry[], gained: readonly CatalogEntry[]): Hazard[] {
  const typeOf = ({ definition }: CatalogEntry) =>
    definition.replace(/ ?\b(not null|statistics|default|collate|identity|stored|virtual)\b.*/, "");
  const columns = gained.filter(({ kind }) => kind === "column");
  return lost
    .filter(({ kind }) => kind === "column")
    .flatMap((old) => {
      const now = columns.find(({ name }) => name === old.name);
      if (now === undefined || typeOf(now) === typeOf(old)) return [];
      return {
        kind: "drop" as const,
        object: old.name,
        says: `It turns the column ${old.name} from ${typeOf(old)} into ${typeOf(now)}, which can lose what it holds.`,
      };
    });
}

/** Grants, present and future ones, to whoever has no token. */
function openGrants(gained: readonly CatalogEntry[]): Hazard[] {
  const grants = gained.flatMap(({ kind, name, definition }) => {
    const [, object, role] =
      (kind === "grant" && /^(.*) to (\S+)$/.exec(name)) ||
      (kind === "default privilege" && /^for (?:\S+) on (.*)$/.exec(name)) ||
      [];
    return object ? [{ object, role: role ?? name.split(" ")[1], privilege: definition }] : [];
  });
  return grants
    .filter(({ role }) => isEverybody(role))
    .map(({ object, role, privilege }) => ({
      kind: "anonymous",
      object: object.replace(/^(?:table column|[a-z]+) (?=\S)/, ""),
      says: `It grants ${privilege.toLowerCase()} on ${object} to ${role}.`,
    }));
}

/**
 * Default privileges that are as PostgreSQL has them: then the catalog has no entry, and everybody
 * may execute new functions and use new types.
 */
function builtInDefaults(lost: readonly CatalogEntry[], after: readonly CatalogEntry[]): Hazard[] {
  const defaults = lost.filter(
    ({ kind, name }) =>
      kind === "default privilege" && /^for owner on (functions|types) in every/.test(name),
  );
  const left = new Set(after.map(nameOf));
  return defaults
    .filter((entry) => !left.has(nameOf(entry)))
    .map(({ name }) => ({
      kind: "anonymous",
      object: name.replace("for owner on ", ""),
      says: `It gives everybody PostgreSQL's own default privileges on new ${name.replace("for owner on ", "")}.`,
    }));
}

function openPolicies(gained: readonly CatalogEntry[]): Hazard[] {
  const policies = gained.filter(({ kind }) => kind === "policy");
  const rolesOf = ({ definition }: CatalogEntry) =>
    (/ to (.*?)(?: using | with check |$)/.exec(definition)?.[1] ?? "").split(", ");
  return policies
    .filter((policy) => rolesOf(policy).some(isEverybody))
    .map(({ name }) => ({
      kind: "anonymous",
      object: name.replace(/^.* on /, ""),
      says: `It makes or changes the policy ${name}, which counts for whoever has no token.`,
    }));
}

/** Roles that become members of another one, or need not care for row-level security. */
function strongerRoles(lost: readonly CatalogEntry[], gained: readonly CatalogEntry[]): Hazard[] {
  const powerOf = (role: CatalogEntry | undefined) =>
    role?.definition.match(/superuser|bypassrls|member of .*/g)?.join(" ") ?? "";
  return gained
    .filter(({ kind }) => kind === "role")
    .filter((role) => powerOf(role) !== powerOf(lost.find((old) => nameOf(old) === nameOf(role))))
    .map((role) => ({
      kind: "anonymous",
      object: role.name,
      says: `It gives the role ${role.name} another power: ${powerOf(role) || "none"}.`,
    }));
}

function isEverybody(role: string | undefined): boolean {
  return role === "anonymous" || role === "public";
}

/** Tables whose row-level security was on, or forced, and no longer is. */
function closedNoMore(lost: readonly CatalogEntry[], after: readonly CatalogEntry[]): Hazard[] {
  const tables = lost.filter(({ kind }) => kind === "table");
  return tables.flatMap(({ name, definition }): Hazard[] => {
    const now = after.find((entry) => entry.kind === "table" && entry.name === name)?.definition;
    const off = (was: string) => definition.includes(was) && now?.includes(was) === false;
    if (!off("row security enabled") && !off(" and forced")) return [];
    const what = off("row security enabled")
      ? "turns row-level security off"
      : "no longer forces row-level security";
    return [{ kind: "rls-off", object: name, says: `It ${what} on ${name}.` }];
  });
}

function nameOf({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}
