import { existsSync, readFileSync } from "node:fs";
import { apiVariables, settledOptions } from "../../../stack/postgrest.ts";
import { type Finding, type Patient, wrong } from "../check.ts";

/** Chosen anew at each start; the database's URL holds a password made at the start. */
const ofTheStart = new Set(["PGRST_DB_URI", "PGRST_ADMIN_SERVER_PORT"]);

/** Settings that were changed since the stack that runs was started. */
export function checkSettings(patient: Pick<Patient, "settings" | "home" | "state">): Finding[] {
  const pid = patient.state?.servers.postgrest;
  // Only Linux lets the environment of a process be read.
  if (pid === undefined || !existsSync(`/proc/${pid}/environ`)) return [];
  const running = Object.fromEntries(
    readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  return settingFindings(running, wanted(patient));
}

/** What is to say about what PostgREST was started with. Values are secrets: only names are told. */
export function settingFindings(
  running: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Finding[] {
  const names = [...new Set([...Object.keys(running), ...Object.keys(wanted)])];
  return names
    .filter((name) => name.startsWith("PGRST_") && !ofTheStart.has(name))
    .filter((name) => running[name] !== wanted[name])
    .map((name) =>
      wrong(
        `${name} is not what PostgREST was started with.`,
        "Restart the stack, or take the change back.",
      ),
    );
}

function wanted({ settings, home }: Pick<Patient, "settings" | "home">): Record<string, string> {
  return apiVariables({ ...settledOptions(settings, home), databaseUrl: "", adminPort: 0 });
}
