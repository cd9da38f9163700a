import type { Backup } from "../manifest.ts";

/** Where a recovery is to end. */
export type Target =
  /** Exactly where the backup was counted. */
  | { readonly kind: "point" }
  | { readonly kind: "time"; readonly time: Date; readonly timeline: number }
  /** The end of the WAL. */
  | { readonly kind: "latest"; readonly timeline: number };

/** The target in the words of the server's settings. */
export function recoverySettings(target: Target, { manifest }: Backup): Record<string, string> {
  const timeline = target.kind === "point" ? (manifest.timeline ?? 1) : target.timeline;
  return {
    recovery_target_timeline: String(timeline),
    recovery_target_action: "promote",
    ...(target.kind === "point" ? { recovery_target_name: manifest.restorePoint ?? "" } : {}),
    ...(target.kind === "time" ? { recovery_target_time: asServerTime(target.time) } : {}),
  };
}

function asServerTime(time: Date): string {
  return time.toISOString().replace("T", " ").replace("Z", "+00");
}
