import { type Fault, findNewFaults } from "../access/faults/fault.ts";
import { readFaults, readFaultsWithRows } from "../access/faults/faults.ts";
import type { Rules } from "../access/rehearse/changes.ts";
import { readRules } from "../access/rehearse/rehearse.ts";
import { RowhouseError } from "../lib/errors.ts";
import { type CatalogDifference, compareCatalogs } from "../schema/catalog/catalog.ts";
import { buildDeclared } from "../schema/catalog/declared.ts";
import { readAnonymousRole } from "../schema/plan/anonymous.ts";
import type { Hazard } from "../schema/plan/hazard.ts";
import { findPlanHazards } from "../schema/plan/hazards.ts";
import { withSameOwner } from "../schema/plan/owner.ts";
import { planChanges } from "../schema/plan/plan.ts";
import { readSnapshot } from "../schema/plan/snapshot.ts";
import { declaredSources } from "../schema/plan/sources.ts";
import { withClient } from "../stack/database.ts";
import type { Scratch } from "../stack/scratch.ts";
import { applyToDev } from "./apply.ts";

/** What brings the dev database in step with the files. */
export interface SyncOptions {
  readonly scratch: Scratch;
  /** The dev database, as its owner. */
  readonly url: string;
  /** The project's folder. */
  readonly root: string;
  /** Whether a table or column may go with what it holds. */
  readonly allowDrop: boolean;
  /** Called with the access rules before and after, while the dev database is still unchanged. */
  readonly beforeApplying: (change: Change) => Promise<void>;
}

/** What is about to change on the dev database. */
export interface Change {
  readonly difference: CatalogDifference;
  readonly hazards: readonly Hazard[];
  /** Who may do what afterwards. */
  readonly rules: Rules;
  /** Finds what makes requests fail afterwards and not before, and the other way round. */
  readonly findFaults: () => Promise<{ brought: Fault[]; resolved: Fault[] }>;
}

/**
 * Brings the dev database to what sql/ and policies/ declare.
 *
 * @returns Whether anything had to be changed.
 * @throws RowhouseError declaration_failed, step_refused, plan_unproven; nothing has changed then.
 */
export async function syncDev(options: SyncOptions): Promise<boolean> {
  const { scratch, url, root, allowDrop } = options;
  const declared = await scratch.create();
  try {
    await buildDeclared(await withSameOwner(url, declared), root);
    const anonymous = readAnonymousRole(root);
    const [from, to, rules] = await Promise.all([
      readSnapshot(url, { anonymous }),
      readSnapshot(declared, { anonymous }),
      withClient(declared, readRules),
    ]);
    const difference = compareCatalogs(to.catalog, from.catalog);
    if (difference.missing.length + difference.surplus.length === 0) return false;
    const plans = [planChanges(from, to, declaredSources(root)), planChanges(from, to)] as const;
    const hazards = findPlanHazards([from, to], plans[0]);
    refuseDrops(hazards, allowDrop);
    const findFaults = async () => {
      const [before, after] = [await readFaults(url), await readFaultsWithRows(declared)];
      return { brought: findNewFaults(before, after), resolved: findNewFaults(after, before) };
    };
    await options.beforeApplying({ difference, hazards, rules, findFaults });
    await applyToDev(url, plans, to.catalog);
    return true;
  } finally {
    await scratch.drop(declared);
  }
}

function refuseDrops(hazards: readonly Hazard[], allowDrop: boolean): void {
  const drops = hazards.filter(({ kind }) => kind === "drop");
  if (allowDrop || drops.length === 0) return;
  throw new RowhouseError(
    "step_refused",
    [
      "Refused: this needs explicit permission:",
      ...drops.map(({ message }) => `  ${message}`),
    ].join("\n"),
    "Nothing was changed. If it is intended, start with --allow-drop.",
  );
}
