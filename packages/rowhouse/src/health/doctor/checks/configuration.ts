import { findMissingNames, unchecked } from "../../../stack/check-conf.ts";
import { readPostgrestConf } from "../../../stack/postgrest-conf.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** What postgrest.conf names and the database lacks, and whether requests are checked at all. */
export async function checkConfiguration({
  url,
  settings,
}: Pick<DoctorContext, "url" | "settings">): Promise<Finding[]> {
  const conf = readPostgrestConf(settings.project.postgrestConf);
  const missing = await findMissingNames(url, conf);
  return [
    ...missing.map((line) => wrong(line, "Correct postgrest.conf, and restart PostgREST.")),
    ...(conf.preRequest === undefined
      ? [wrong(unchecked, 'Add db-pre-request = "request.check", and restart PostgREST.')]
      : []),
  ];
}
