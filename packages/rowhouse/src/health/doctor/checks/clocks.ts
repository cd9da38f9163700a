import { withClient } from "../../../stack/database.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** PostgREST and request.check() allow 30 s; it must not be used up by the clocks. */
const mostSeconds = 10;

/** The clocks of this machine, which PostgREST goes by, and of the database. */
export async function checkClocks({ url }: Pick<DoctorContext, "url">): Promise<Finding[]> {
  return withClient(url, async (client) => {
    const before = Date.now();
    const { rows } = await client.query<{ ms: number }>(
      "select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms",
    );
    return clockFindings((rows[0]?.ms ?? 0) - (before + Date.now()) / 2);
  });
}

/** Findings about the database's clock being so many milliseconds ahead of ours. */
export function clockFindings(aheadMs: number): Finding[] {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds <= mostSeconds) return [];
  return [
    wrong(
      `The database's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's: tokens are refused too early, or too late.`,
      "Keep both by NTP (chrony, systemd-timesyncd).",
    ),
  ];
}
