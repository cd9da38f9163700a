import { catalogPatience, readingOnly } from "../../access/model/session.ts";
import { lint } from "../lint/lint.ts";
import { type Finding, type Patient, wrong } from "./check.ts";

/** What breaks one of these rules of `rowhouse lint`, in the database itself. */
export async function brokenRules(
  { url }: Pick<Patient, "url">,
  rules: readonly string[],
): Promise<Finding[]> {
  const findings = await readingOnly(url, catalogPatience, lint);
  return findings
    .filter(({ rule }) => rules.includes(rule))
    .map((found) => wrong(`${found.object}: ${found.finding}.`, found.do));
}
