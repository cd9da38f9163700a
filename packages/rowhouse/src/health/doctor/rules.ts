import { catalogTimeout, withReadOnly } from "../../access/model/session.ts";
import { lint } from "../lint/lint.ts";
import { type DoctorContext, type Finding, wrong } from "./check.ts";

/** What breaks one of these rules of `rowhouse lint`, in the database itself. */
export async function brokenRules(
  { url }: Pick<DoctorContext, "url">,
  rules: readonly string[],
): Promise<Finding[]> {
  const findings = await withReadOnly(url, catalogTimeout, lint);
  return findings
    .filter(({ rule }) => rules.includes(rule))
    .map((found) => wrong(`${found.object}: ${found.finding}.`, found.do));
}
