import { existsSync, readFileSync } from "node:fs";
import { apiVariables, getApiOptions } from "../../../stack/postgrest.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** Chosen at each start; the database's URL holds a password made at the start. */
const perStart = new Set(["PGRST_DB_URI", "PGRST_ADMIN_SERVER_PORT"]);

/** Settings that were changed since the stack that runs was started. */
export function checkSettings(
  context: Pick<DoctorContext, "settings" | "home" | "state">,
): Finding[] {
  const pid = context.state?.servers.postgrest?.pid;
  // Only Linux lets the environment of a process be read.
  if (pid === undefined || !existsSync(`/proc/${pid}/environ`)) return [];
  const running = Object.fromEntries(
    readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  return settingFindings(running, expectedVariables(context));
}

/** Findings about what PostgREST was started with. Values are secrets: only names are shown. */
export function settingFindings(
  running: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Finding[] {
  const names = [...new Set([...Object.keys(running), ...Object.keys(wanted)])];
  return names
    .filter((name) => name.startsWith("PGRST_") && !perStart.has(name))
    .filter((name) => running[name] !== wanted[name])
    .map((name) =>
      wrong(
        `${name} is not what PostgREST was started with.`,
        "Restart the stack, or take the change back.",
      ),
    );
}

function expectedVariables({
  settings,
  home,
  state,
}: Pick<DoctorContext, "settings" | "home" | "state">): Record<string, string> {
  // With sign-in or a provider PostgREST reads JWT_SECRET from the file that the service writes.
  const readsFile = state?.signInUrl !== undefined || state?.provider !== undefined;
  const keys = readsFile ? { jwtSecret: `@${home.keysFile}` } : {};
  return apiVariables({ ...getApiOptions(settings, home), ...keys, databaseUrl: "", adminPort: 0 });
}
