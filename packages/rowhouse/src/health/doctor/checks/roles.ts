import type { DoctorContext, Finding } from "../check.ts";
import { brokenRules } from "../rules.ts";

/** Roles that may do too much, and tables where nothing holds them back. */
export async function checkRoles(
  context: Pick<DoctorContext, "url" | "settings">,
): Promise<Finding[]> {
  return brokenRules(context, [
    "role_powers",
    "excess_grants",
    "function_to_public",
    "policy_to_public",
    "row_security",
    "security_definer",
  ]);
}
