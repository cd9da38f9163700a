import { readingOnly } from "../access/session.ts";
import { lint } from "../lint/lint.ts";
import { type Finding, type Patient, wrong } from "./check.ts";

/** How many seconds a question about the catalog may take. */
const patience = 30;

/** What breaks one of these rules of `rowhouse lint`, in the database itself. */
export async function brokenRules(
  { url }: Pick<Patient, "url">,
  rules: readonly string[],
): Promise<Finding[]> {
  const findings = await readingOnly(url, patience, lint);
  return findings
    .filter(({ rule }) => rules.includes(rule))
    .map((found) => wrong(`${found.object}: ${found.finding}.`, found.do));
}
