import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withClient } from "../../../stack/database.ts";
import { findLogin } from "../../../stack/find-login.ts";
import { readPostgrestConf } from "../../../stack/postgrest-conf.ts";
import type { DoctorContext, Finding } from "../check.ts";

const query = readFileSync(join(import.meta.dirname, "speed.sql"), "utf8");

/** Settings without which each request costs more than it need: docs/performance.md. */
export async function checkSpeed({
  url,
  settings,
}: Pick<DoctorContext, "url" | "settings">): Promise<Finding[]> {
  const { project } = settings;
  const login = await findLogin(url, project);
  return [
    ...((await plansOnce(url, login)) ? [] : [plansAnew(login)]),
    ...(readPostgrestConf(project.postgrestConf).jwtCache ? [] : [checksAnew]),
  ];
}

/** Whether the role keeps the plans of its statements, by its own setting or one of the server. */
async function plansOnce(url: string, login: string): Promise<boolean> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ once: boolean | null }>(query, [login]),
  );
  return rows[0]?.once ?? false;
}

function plansAnew(login: string): Finding {
  return {
    level: "note",
    message: `PostgreSQL plans each statement of ${login} anew for each request.`,
    remedy: `Set plan_cache_mode = force_generic_plan for ${login} in sql/roles, and write a migration.`,
  };
}

const checksAnew: Finding = {
  level: "note",
  message: "PostgREST before 14 checks the signature of a token anew for each request.",
  remedy: "Add jwt-cache-max-lifetime = 3600 to postgrest.conf, and restart PostgREST.",
};
