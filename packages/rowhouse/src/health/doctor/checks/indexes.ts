import type { DoctorContext, Finding } from "../check.ts";
import { brokenRules } from "../rules.ts";

/** Owned tables in which each request would read the rows of all users. */
export async function checkIndexes(
  context: Pick<DoctorContext, "url" | "settings">,
): Promise<Finding[]> {
  return brokenRules(context, ["owned_index"]);
}
