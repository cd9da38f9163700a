import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { freePort } from "../../src/stack/ports.ts";

/** Whether Debian's PostgreSQL 15 is installed here. */
export const hasDebianServer =
  existsSync("/usr/bin/pg_virtualenv") && existsSync("/usr/lib/postgresql/15/bin/postgres");

/** A throwaway server of Debian's PostgreSQL 15. */
export interface DebianServer {
  /** A superuser's URL, on the maintenance database. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts one with pg_virtualenv, which ends it when the command that it runs ends. */
export async function startDebianServer(): Promise<DebianServer> {
  const script =
    'echo "url postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/postgres?sslmode=disable"; cat';
  // In a folder and on a port of its own, so that several can run at once.
  const own = ["-t", "-c", `-p ${await freePort()}`];
  const child = spawn("pg_virtualenv", [...own, "-v", "15", "sh", "-c", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let output = "";
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk;
    const url = /^url (.*)$/m.exec(output)?.[1];
    if (url === undefined) continue;
    return {
      url,
      stop: async () => {
        child.stdin.end();
        child.stdout.resume();
        await ended;
      },
    };
  }
  throw new Error(`pg_virtualenv started no server: ${output}`);
}
