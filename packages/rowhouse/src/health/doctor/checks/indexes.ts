import type { Finding, Patient } from "../check.ts";
import { brokenRules } from "../rules.ts";

/** Owned tables in which each request would read the rows of all users. */
export async function checkIndexes(patient: Pick<Patient, "url">): Promise<Finding[]> {
  return brokenRules(patient, ["owned_index"]);
}
