import { isLoopback } from "./loopback.ts";
import type { AuthSettings } from "./settings.ts";

const ownMachine = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/**
 * The origins whose pages may call the service and be led back to, as patterns of Better Auth.
 * Unset, those of this machine, and only while the service itself is reached there.
 */
export function allowedOrigins({ origins, url }: AuthSettings): readonly string[] {
  return origins ?? (isLoopback(url) ? ownMachine : []);
}

/** Whether a page of an origin may call the service. */
export function isAllowedOrigin(settings: AuthSettings, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  if (origin === settings.url.origin) return true;
  return allowedOrigins(settings).some((allowed) =>
    allowed.endsWith(":*") ? isOnPort(origin, allowed) : allowed === origin,
  );
}

function isOnPort(origin: string, pattern: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}:*` === pattern;
}
