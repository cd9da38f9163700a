import type { Project } from "../lib/project.ts";
import { readApiNames } from "./api-names.ts";
import { withClient } from "./database.ts";
import { defaultLogin } from "./login.ts";

/**
 * The role that PostgREST logs in as: the one that can become the roles of requests. Of several it is
 * the usual one, else the first by its name.
 */
export async function findLogin(url: string, project: Project): Promise<string> {
  const { logins } = await withClient(url, (client) => readApiNames(client, project));
  return logins.includes(defaultLogin) ? defaultLogin : (logins[0] ?? defaultLogin);
}
