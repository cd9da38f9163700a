import { createHash } from "node:crypto";
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware, isAPIError } from "better-auth/api";
import type pg from "pg";

/** How many tries on one account are let through, and within how many seconds. */
const limits: Readonly<Record<string, { readonly tries: number; readonly seconds: number }>> = {
  "/sign-in/email": { tries: 10, seconds: 15 * 60 },
  "/sign-in/magic-link": { tries: 5, seconds: 60 * 60 },
  "/sign-up/email": { tries: 5, seconds: 60 * 60 },
  "/request-password-reset": { tries: 5, seconds: 60 * 60 },
  "/send-verification-email": { tries: 5, seconds: 60 * 60 },
};

/**
 * Limits tries on one account, whatever addresses they come from; Better Auth limits addresses. It
 * counts unknown accounts alike, and a sign-in with the right password clears the count.
 */
export function limitAttempts(pool: pg.Pool): BetterAuthPlugin {
  return {
    id: "limit-attempts",
    hooks: {
      before: [
        {
          matcher: ({ path }) => path !== undefined && path in limits,
          handler: createAuthMiddleware(async ({ path, body }) => {
            const limit = limits[path];
            const key = keyFor(path, body);
            if (limit === undefined || key === undefined) return;
            const wait = await countTry(pool, key, limit);
            if (wait === undefined) return;
            throw new APIError(
              "TOO_MANY_REQUESTS",
              { code: "TOO_MANY_ATTEMPTS", message: "Too many tries: wait before the next." },
              { "Retry-After": String(wait) },
            );
          }),
        },
      ],
      after: [
        {
          matcher: ({ path }) => path === "/sign-in/email",
          handler: createAuthMiddleware(async ({ path, body, context }) => {
            const key = keyFor(path, body);
            if (key === undefined || isAPIError(context.returned)) return;
            await pool.query("delete from identity.rate_limits where key = $1", [key]);
          }),
        },
      ],
    },
  };
}

/** A hash: the table does not tell which addresses were tried. */
function keyFor(path: string, body: unknown): string | undefined {
  const email = (body as { email?: unknown } | undefined)?.email;
  if (typeof email !== "string") return undefined;
  return `account:${createHash("sha256").update(`${path} ${email.toLowerCase()}`).digest("hex")}`;
}

/** Counts a try; returns how many seconds to wait when there were too many. */
async function countTry(
  pool: pg.Pool,
  key: string,
  { tries, seconds }: { tries: number; seconds: number },
): Promise<number | undefined> {
  const { rows } = await pool.query<{ count: number; wait: number }>(
    `insert into identity.rate_limits as kept (key, count, last_request)
     values ($1, 1, extract(epoch from clock_timestamp()) * 1000)
     on conflict (key) do update
     set
       count = case
         when kept.last_request < excluded.last_request - $2 * 1000 then 1
         else kept.count + 1
       end,
       last_request = case
         when kept.last_request < excluded.last_request - $2 * 1000 then excluded.last_request
         else kept.last_request
       end
     returning
       count,
       ceil($2 - (extract(epoch from clock_timestamp()) - last_request / 1000.0))::integer as wait`,
    [key, seconds],
  );
  const [row] = rows;
  return row !== undefined && row.count > tries ? Math.max(1, row.wait) : undefined;
}
