import type { CatalogEntry } from "../catalog/catalog.ts";

/** The labels of an enum as SQL writes them, `'open'`; none of another type. */
export function findLabels({ definition }: CatalogEntry): string[] {
  const [, list = ""] = /^enum: (.*)$/s.exec(definition) ?? [];
  return list.match(/E?'(?:[^']|'')*'/g) ?? [];
}

/** The labels that enums gain which are there already, and the names of those enums. */
export function findNewLabels(
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): { readonly type: string; readonly label: string }[] {
  return after.flatMap((now) => {
    const old = before.find((one) => one.kind === "type" && one.name === now.name);
    if (now.kind !== "type" || old === undefined) return [];
    const known = new Set(findLabels(old));
    const labels = findLabels(now).filter((label) => !known.has(label));
    return labels.map((label) => ({ type: now.name, label }));
  });
}
