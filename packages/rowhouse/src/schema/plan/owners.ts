import { type CatalogEntry, type KnownEntry, listKind } from "../catalog/catalog.ts";
import { listDropped } from "./dropped.ts";
import type { Hazard } from "./hazard.ts";
import type { PublicRoles } from "./public-access.ts";

type Owner = KnownEntry<"owner">;

/** What gives objects other owners, in two parts. */
interface OwnerStatements {
  /** Back to the role that runs the migration: before grants, which an owner cannot be given. */
  readonly first: readonly string[];
  /** To other roles: after grants, since what is taken from an owner would stay away. */
  readonly last: readonly string[];
}

/**
 * The statements that give objects to other roles, or back to the one that runs the migration.
 *
 * @param statements What comes before: an object that is made again belongs to that role.
 */
export function ownerStatements(
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  statements: readonly string[],
): OwnerStatements {
  const dropped = new Set(listDropped(statements).map((name) => name.replace(/^\S+ /, "")));
  const old = listKind(before, "owner").filter(({ facts }) => !dropped.has(facts.object));
  const now = listKind(after, "owner");
  const back = old.filter(
    ({ name, facts }) => isThere(facts.object, after) && !now.some((one) => one.name === name),
  );
  return {
    first: back.map(({ name }) => `alter ${name} owner to current_user`),
    last: without(now, old).map(({ name, facts }) => `alter ${name} owner to ${facts.owner}`),
  };
}

function without(some: readonly Owner[], others: readonly Owner[]): Owner[] {
  const known = new Set(others.map(({ name, facts }) => JSON.stringify([name, facts.owner])));
  return some.filter(({ name, facts }) => !known.has(JSON.stringify([name, facts.owner])));
}

function isThere(object: string, catalog: readonly CatalogEntry[]): boolean {
  return catalog.some(({ kind, name }) => kind !== "owner" && name === object);
}

/** Tables whose row-level security does not hold for their new owner, and what anonymous requests own. */
export function ownerHazards(
  gained: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  publicRoles: PublicRoles,
): Hazard[] {
  const tables = new Map(listKind(after, "table").map(({ name, facts }) => [name, facts]));
  return listKind(gained, "owner").flatMap(({ facts: { object, owner } }): Hazard[] => {
    const table = tables.get(object);
    const message = `It makes ${owner} the owner of ${object}`;
    if (publicRoles.has(owner)) {
      return [{ kind: "anonymous", object, message: `${message}, which can do anything to it.` }];
    }
    if (table === undefined || !table.rowSecurity || table.forced) return [];
    const why = "for whom row-level security does not hold: it is not forced";
    return [{ kind: "rls-off", object, message: `${message}, ${why}.` }];
  });
}
