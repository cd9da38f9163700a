import type { DoctorContext, Finding } from "../check.ts";
import { brokenRules } from "../rules.ts";

/** Roles that may do too much, and tables where nothing holds them back. */
export async function checkRoles(
  context: Pick<DoctorContext, "url" | "settings">,
): Promise<Finding[]> {
  return brokenRules(context, [
    "role_powers",
    "anonymous_writes",
    "definer_search_path",
    "excess_grants",
    "exposed_definer",
    "function_to_public",
    "policy_to_public",
    "row_security",
    "row_security_forced",
    "security_definer",
  ]);
}
