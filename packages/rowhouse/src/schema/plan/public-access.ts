import { type CatalogEntry, type KnownEntry, listKind } from "../catalog/catalog.ts";
import type { Hazard } from "./hazard.ts";

/** The roles of an anonymous request, as SQL writes them: see anonymous.ts. */
export type PublicRoles = ReadonlySet<string>;

type Policy = KnownEntry<"policy">;

/** Grants, present and future ones, to anonymous requests. */
export function openGrants(gained: readonly CatalogEntry[], publicRoles: PublicRoles): Hazard[] {
  // The right to use a type is that to make objects of it, and has no say about values in queries:
  // https://www.postgresql.org/docs/18/ddl-priv.html
  const grants = listKind(gained, "grant").filter(({ facts: { on } }) => on !== "type");
  const present = grants.map(({ facts: { on, object, role, privilege } }) => ({
    role,
    object: object ?? on,
    what: `${privilege} on ${object === null ? on : `${on} ${object}`}`,
  }));
  const future = listKind(gained, "default privilege").map(({ facts }) => ({
    role: facts.own ? "" : facts.role,
    object: getPlace(facts),
    what: `${facts.privilege.toLowerCase()} on ${getPlace(facts)}`,
  }));
  return [...present, ...future]
    .filter(({ role }) => publicRoles.has(role))
    .map(({ role, object, what }) => ({
      kind: "anonymous",
      object,
      message: `It grants ${what} to ${role}.`,
    }));
}

function getPlace({ objects, schema }: KnownEntry<"default privilege">["facts"]): string {
  return `${objects} in ${schema ?? "every schema"}`;
}

/** What PostgreSQL grants to all by itself, and is no longer taken away. */
export function restoredGrants(lost: readonly CatalogEntry[], publicRoles: PublicRoles): Hazard[] {
  return listKind(lost, "revoke")
    .filter(({ facts }) => publicRoles.has(facts.role))
    .map(({ facts: { on, object, role, privilege } }) => ({
      kind: "anonymous",
      object: object ?? on,
      message: `It no longer revokes ${privilege} on ${on} ${object} from ${role}.`,
    }));
}

/**
 * Default privileges that are as PostgreSQL has them: then the catalog has no entry, and all users
 * (PUBLIC) may execute new functions and use new types.
 */
export function builtInDefaults(
  lost: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): Hazard[] {
  const left = new Set(listKind(after, "default privilege").map(({ name }) => name));
  return listKind(lost, "default privilege")
    .filter(({ facts: { own, schema } }) => own && schema === null)
    .filter(({ facts: { objects } }) => objects === "functions" || objects === "types")
    .filter(({ name }) => !left.has(name))
    .map(({ facts }) => ({
      kind: "anonymous",
      object: getPlace(facts),
      message: `It gives all users (PUBLIC) PostgreSQL's own default privileges on new ${getPlace(facts)}.`,
    }));
}

/** Policies that apply to anonymous requests, except new ones that only restrict. */
export function openPolicies(
  lost: readonly CatalogEntry[],
  gained: readonly CatalogEntry[],
  publicRoles: PublicRoles,
): Hazard[] {
  const changed = new Set(listKind(lost, "policy").map(({ name }) => name));
  return listKind(gained, "policy")
    .filter((policy) => appliesTo(policy, publicRoles))
    .filter(({ name, facts }) => facts.permissive || changed.has(name))
    .map(({ name, facts }) => ({
      kind: "anonymous",
      object: facts.table,
      message: `It creates or changes the policy ${name}, which applies to anonymous requests.`,
    }));
}

/** Restrictive policies that no longer apply to anonymous requests, on tables that stay. */
export function looserPolicies(
  lost: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  publicRoles: PublicRoles,
): Hazard[] {
  const policies = listKind(after, "policy").filter((one) => appliesTo(one, publicRoles));
  const left = new Set(policies.map(({ name }) => name));
  const tables = new Set(listKind(after, "table").map(({ name }) => name));
  return listKind(lost, "policy")
    .filter((policy) => appliesTo(policy, publicRoles) && !policy.facts.permissive)
    .filter(({ name, facts }) => !left.has(name) && tables.has(facts.table))
    .map(({ name, facts }) => ({
      kind: "anonymous",
      object: facts.table,
      message: `It removes the restrictive policy ${name}, which applies to anonymous requests.`,
    }));
}

function appliesTo({ facts }: Policy, roles: PublicRoles): boolean {
  return facts.roles.some((role) => roles.has(role));
}

/** Roles that become members of another one, or need not care for row-level security. */
export function strongerRoles(
  lost: readonly CatalogEntry[],
  gained: readonly CatalogEntry[],
): Hazard[] {
  const before = new Map(listKind(lost, "role").map((role) => [role.name, listPowers(role)]));
  return listKind(gained, "role").flatMap((role): Hazard[] => {
    const had = before.get(role.name) ?? [];
    const powers = listPowers(role).filter((power) => !had.includes(power));
    if (powers.length === 0) return [];
    const message = `It gives the role ${role.name} another power: ${powers.join(", ")}.`;
    return [{ kind: "power", object: role.name, message }];
  });
}

function listPowers({ facts }: KnownEntry<"role">): string[] {
  const { superuser, bypassRls, memberOf } = facts;
  return [
    ...(superuser ? ["superuser"] : []),
    ...(bypassRls ? ["bypassrls"] : []),
    ...memberOf.map((role) => `member of ${role}`),
  ];
}
