import {
  describeUnchecked,
  findMissingNames,
  ownCheck,
  readEffectiveConf,
} from "../../../stack/check-conf.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** What postgrest.conf names and the database lacks, and whether requests are checked at all. */
export async function checkConfiguration({
  url,
  settings,
}: Pick<DoctorContext, "url" | "settings">): Promise<Finding[]> {
  const conf = await readEffectiveConf(url, settings.project);
  const missing = await findMissingNames(url, conf);
  const isMissing = missing.some((line) => line.startsWith("db-pre-request"));
  const unchecked = isMissing ? undefined : describeUnchecked(conf);
  return [
    ...missing.map((line) => wrong(line, "Correct postgrest.conf, and restart PostgREST.")),
    ...(unchecked === undefined ? [] : [await uncheckedFinding(url, unchecked)]),
  ];
}

/** In a database that has no such function it is a choice, and not a slip. */
async function uncheckedFinding(url: string, message: string): Promise<Finding> {
  const isThere = (await findMissingNames(url, { schemas: [], preRequest: ownCheck })).length === 0;
  if (isThere) return wrong(message, `Add db-pre-request = "${ownCheck}", and restart PostgREST.`);
  const remedy = "Let the function in db-pre-request refuse such tokens, or accept it.";
  return { level: "note", message, remedy };
}
