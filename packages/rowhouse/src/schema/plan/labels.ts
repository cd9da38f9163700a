import { type CatalogEntry, type KnownEntry, listKind } from "../catalog/catalog.ts";
import { quoteLiteral } from "../catalog/define.ts";

/** The labels of an enum as SQL writes them, `'open'`; none of another type. */
export function findLabels({ facts }: KnownEntry<"type">): string[] {
  return (facts.labels ?? []).map(quoteLiteral);
}

/** The labels that enums gain which are there already, and the names of those enums. */
export function findNewLabels(
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): { readonly type: string; readonly label: string }[] {
  const known = new Map(listKind(before, "type").map((type) => [type.name, type]));
  return listKind(after, "type").flatMap((now) => {
    const old = known.get(now.name);
    if (old === undefined) return [];
    const labels = new Set(findLabels(old));
    return findLabels(now)
      .filter((label) => !labels.has(label))
      .map((label) => ({ type: now.name, label }));
  });
}
