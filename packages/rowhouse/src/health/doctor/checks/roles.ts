import type { Finding, Patient } from "../check.ts";
import { brokenRules } from "../rules.ts";

/** Roles that may do too much, and tables where nothing holds them back. */
export async function checkRoles(patient: Pick<Patient, "url">): Promise<Finding[]> {
  return brokenRules(patient, [
    "role_powers",
    "excess_grants",
    "function_to_public",
    "policy_to_public",
    "row_security",
    "security_definer",
  ]);
}
