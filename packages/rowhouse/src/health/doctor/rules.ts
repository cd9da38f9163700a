import { catalogTimeout, withReadOnly } from "../../access/model/session.ts";
import { lint, readRules } from "../lint/lint.ts";
import { type DoctorContext, type Finding, wrong } from "./check.ts";

/** What breaks one of these rules of `rowhouse lint`, in the database itself. */
export async function brokenRules(
  { url, settings }: Pick<DoctorContext, "url" | "settings">,
  names: readonly string[],
): Promise<Finding[]> {
  const rules = readRules().filter(({ name }) => names.includes(name));
  const findings = await withReadOnly(url, catalogTimeout, (client) =>
    lint(client, settings.project.lint, rules),
  );
  return findings
    .filter(({ level }) => level === "error")
    .map((found) => wrong(`${found.object}: ${found.finding}.`, found.do));
}
