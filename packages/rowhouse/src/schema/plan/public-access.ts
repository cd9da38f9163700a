import type { CatalogEntry } from "../catalog/catalog.ts";
import type { Hazard } from "./hazard.ts";

/** The roles of an anonymous request: also those that anonymous is a member of. */
export function findPublicRoles(catalog: readonly CatalogEntry[]): ReadonlySet<string> {
  const roles = new Set(["anonymous", "public"]);
  // A set can be added to while it is gone through.
  for (const role of roles) {
    const entry = catalog.find(({ kind, name }) => kind === "role" && name === role);
    const [, list] = / member of (.*)$/.exec(entry?.definition ?? "") ?? [];
    for (const other of list?.split(", ") ?? []) roles.add(other);
  }
  return roles;
}

/** Policies that apply to anonymous requests, except new ones that only restrict. */
export function openPolicies(
  lost: readonly CatalogEntry[],
  gained: readonly CatalogEntry[],
  publicRoles: ReadonlySet<string>,
): Hazard[] {
  const isNew = (policy: CatalogEntry) => !lost.some((old) => fullName(old) === fullName(policy));
  return gained
    .filter((policy) => appliesTo(policy, publicRoles) && !(isRestrictive(policy) && isNew(policy)))
    .map(({ name }) => ({
      kind: "anonymous",
      object: parseTable(name),
      message: `It creates or changes the policy ${name}, which applies to anonymous requests.`,
    }));
}

/** Restrictive policies that no longer apply to anonymous requests, on tables that stay. */
export function looserPolicies(
  lost: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  publicRoles: ReadonlySet<string>,
): Hazard[] {
  const left = new Set(after.filter((one) => appliesTo(one, publicRoles)).map(fullName));
  const tables = new Set(after.filter(({ kind }) => kind === "table").map(({ name }) => name));
  return lost
    .filter((policy) => appliesTo(policy, publicRoles) && isRestrictive(policy))
    .filter((policy) => !left.has(fullName(policy)) && tables.has(parseTable(policy.name)))
    .map(({ name }) => ({
      kind: "anonymous",
      object: parseTable(name),
      message: `It removes the restrictive policy ${name}, which applies to anonymous requests.`,
    }));
}

function appliesTo({ kind, definition }: CatalogEntry, roles: ReadonlySet<string>): boolean {
  const [, list = ""] = / to (.*?)(?: using | with check |$)/.exec(definition) ?? [];
  return kind === "policy" && list.split(", ").some((role) => roles.has(role));
}

function isRestrictive({ definition }: CatalogEntry): boolean {
  return definition.startsWith("restrictive ");
}

function parseTable(policy: string): string {
  return policy.replace(/^.* on /, "");
}

function fullName({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}
