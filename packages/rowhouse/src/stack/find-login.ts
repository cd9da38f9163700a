import { RowhouseError } from "../lib/errors.ts";
import type { Project } from "../lib/project.ts";
import { readApiNames } from "./api-names.ts";
import { withClient } from "./database.ts";
import { defaultLogin } from "./login.ts";

/**
 * The role that PostgREST logs in as: the one that can become the roles of requests, and of several
 * the usual one.
 *
 * @throws RowhouseError settings_invalid when there are several others: which one is meant is not guessed.
 */
export async function findLogin(url: string, project: Project): Promise<string> {
  const { logins, anonymous } = await withClient(url, (client) => readApiNames(client, project));
  const [first = defaultLogin, ...others] = logins;
  if (others.length === 0) return first;
  if (logins.includes(defaultLogin)) return defaultLogin;
  throw new RowhouseError(
    "settings_invalid",
    `Several roles could be the one that PostgREST logs in as: ${logins.join(", ")}.`,
    `Let one of them alone be a member of ${anonymous ?? "the roles of requests"}, or call one ${defaultLogin}.`,
  );
}
