import { catalogTimeout, withReadOnly } from "../../access/model/session.ts";
import { lint } from "../lint/lint.ts";
import { readRules } from "../lint/rules.ts";
import { type DoctorContext, type Finding, wrong } from "./check.ts";

/** What breaks one of these rules of `rowhouse lint`, in the database itself. */
export async function brokenRules(
  { url, settings }: Pick<DoctorContext, "url" | "settings">,
  names: readonly string[],
): Promise<Finding[]> {
  const rules = readRules().filter(({ name }) => names.includes(name));
  const { project } = settings;
  const { findings } = await withReadOnly(url, catalogTimeout, (client, names) =>
    lint(client, names, { off: project.lint, rules, platform: project.platform.schemas }),
  );
  return findings
    .filter(({ level }) => level !== "note")
    .map((found) => wrong(`${found.object}: ${found.findings.join("; ")}.`, found.do));
}
