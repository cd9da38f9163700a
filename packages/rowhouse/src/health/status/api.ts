import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";

/** The API of a running stack, as it shows itself. */
export interface ApiStatus {
  readonly url: string;
  /** Whether it answers at all. */
  readonly answers: boolean;
  /** PostgREST's version; undefined when unknown. */
  readonly postgrest: string | undefined;
  /** When PostgREST last loaded the schema, in ISO 8601; undefined when its log does not show it. */
  readonly schemaLoadedAt: string | undefined;
}

const timeoutMs = 5000;

/** Asks an API who it is. The request stays within PostgREST: it takes no database connection. */
export async function readApi(url: string, logFile: string): Promise<ApiStatus> {
  const schemaLoadedAt = lastSchemaLoad(logFile) ?? lastSchemaLoad(`${logFile}.1`);
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const { headers } = await fetch(`${url}/`, { method: "OPTIONS", signal });
    const postgrest = /^postgrest\/([\d.]+)/.exec(headers.get("server") ?? "")?.[1];
    return { url, answers: true, postgrest, schemaLoadedAt };
  } catch {
    // No process listens, or none answers in time.
    return { url, answers: false, postgrest: undefined, schemaLoadedAt };
  }
}

/**
 * When PostgREST last loaded the schema, by its log: nothing else shows it in 12.0.2, whose admin
 * port has /live and /ready alone.
 */
export function lastSchemaLoad(logFile: string): string | undefined {
  if (!existsSync(logFile)) return undefined;
  // Not only at the beginning of a line: PostgREST's threads write into each other's.
  const loads = tail(logFile).match(/\d+\/\w+\/[\d:]+ [+-]\d{4}(?=: Schema cache loaded)/g);
  return loads?.at(-1) && isoTime(loads.at(-1) ?? "");
}

/** PostgREST writes 21/Nov/2026:06:20:54 +0000. */
function isoTime(written: string): string | undefined {
  const [, day, month, year, time, zone] =
    /^(\d+)\/(\w+)\/(\d+):([\d:]+) ([+-]\d{4})$/.exec(written) ?? [];
  const at = new Date(`${day} ${month} ${year} ${time} ${zone}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

const tailBytes = 1_048_576;

function tail(file: string): string {
  const handle = openSync(file, "r");
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8");
  } finally {
    closeSync(handle);
  }
}
