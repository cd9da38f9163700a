import { execFile } from "node:child_process";
import { type ErrorCode, RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { findDatabaseUrl } from "./embedded.ts";
import { addAuthSecret, type Home } from "./home.ts";
import { runningState } from "./lock.ts";
import { getApiOptions } from "./postgrest.ts";
import type { Settings } from "./settings.ts";
import { findSignIn, signInVariables } from "./sign-in.ts";
import type { State } from "./state.ts";

/** A key that signs tokens of the sign-in service, or has signed some that still work. */
export interface SigningKey {
  readonly id: string;
  /** "published": a rotation was interrupted; the next one removes it. */
  readonly state: "signs" | "ends" | "published";
  /** Since when it signs, in ISO 8601. */
  readonly since?: string;
  /** When the last token that it has signed ends, in ISO 8601. */
  readonly until?: string;
}

/**
 * Lets the program of the sign-in service work on the keys of the stack that runs in a home.
 *
 * @param action Its arguments after "keys": "list", or "rotate" with its options.
 * @param report Takes the lines that it prints while it works.
 * @returns The keys afterwards.
 * @throws RowhouseError stack_not_running, sign_in_off, keys_failed
 */
export async function runKeys(
  settings: Settings,
  home: Home,
  action: readonly string[],
  report: (line: string) => void,
): Promise<SigningKey[]> {
  const { apiUrl } = await requireSignIn(home);
  const databaseUrl = (await findDatabaseUrl(settings, home)) ?? "";
  const found = await findSignIn(settings, databaseUrl);
  if ("offBecause" in found) throw signInOff(found.offBecause);
  // As the owner: the password of the service's own role is known to the stack alone.
  const { jwtSecret } = getApiOptions(settings, home);
  const env = {
    ...signInVariables(settings, home, databaseUrl, jwtSecret),
    AUTH_API_URL: apiUrl,
  };
  return JSON.parse(await run(found.program, ["keys", ...action], env, report));
}

/** The state of the stack that runs in a home with the sign-in service. */
async function requireSignIn(home: Home): Promise<State> {
  const state = await runningState(home);
  if (state?.apiUrl === undefined) {
    throw new RowhouseError(
      "stack_not_running",
      `No stack runs in ${home.dir}.`,
      "Run `npm start`, then try again.",
    );
  }
  if (state.signInUrl === undefined) throw signInOff("the stack runs without it");
  return state;
}

function signInOff(reason: string): RowhouseError {
  return new RowhouseError(
    "sign_in_off",
    `Sign-in is off: ${reason}.`,
    "Start the stack with sign-in; AUTH=on is the default.",
  );
}

function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  report: (line: string) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const child = execFile(process.execPath, [program, ...args], { env }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(keysFailed(printed));
    });
    child.stderr?.on("data", (chunk: string) => {
      printed += chunk;
      // An error reports the fault; a line of progress comes while the program runs.
      if (!chunk.startsWith("[")) report(chunk.trimEnd());
    });
  });
}

/** What the program prints is "[code] message", and a line with the remedy. */
function keysFailed(printed: string): RowhouseError {
  const [, message, remedy] = /^(\[\w+\] .*)\n(.*)$/m.exec(printed) ?? [];
  return new RowhouseError(
    "keys_failed",
    `The keys were not changed: ${message ?? printed.trim()}`,
    remedy ?? "See the log of the sign-in service.",
  );
}

/**
 * Gives the service a new secret, in the home, and restarts it. What older secrets have signed and
 * encrypted counts as before.
 *
 * @throws RowhouseError stack_not_running, sign_in_off, settings_invalid when AUTH_SECRET is set,
 *   sign_in_failed when the service does not answer again in time.
 */
export async function rotateSecret(settings: Settings, home: Home): Promise<void> {
  const { signInUrl = "" } = await requireSignIn(home);
  if (settings.authSecret !== undefined) {
    throw new RowhouseError(
      "settings_invalid",
      "AUTH_SECRET is set, so the secret is not the one in the home.",
      "Put a new secret before it, with a comma between, and restart the stack: docs/sign-in.md.",
    );
  }
  addAuthSecret(home);
  await restart(home, "node", `${signInUrl}/ready`, {
    failure: "sign_in_failed",
    name: "The sign-in service",
    logFile: home.authLog,
  });
}

/**
 * Ends PostgREST, which the stack starts again: what it has cached is gone then.
 *
 * @throws RowhouseError postgrest_failed when it does not answer again in time.
 */
export async function restartApi(home: Home): Promise<void> {
  const { apiUrl = "" } = await requireSignIn(home);
  await restart(home, "postgrest", apiUrl, {
    failure: "postgrest_failed",
    name: "PostgREST",
    logFile: home.postgrestLog,
  });
}

const restartLimitMs = 30_000;

/** Ends a server of the stack, which starts it again, and waits until it answers. */
async function restart(
  home: Home,
  program: string,
  url: string,
  { failure, name, logFile }: { failure: ErrorCode; name: string; logFile: string },
): Promise<void> {
  const findPid = async () => (await runningState(home))?.servers[program]?.pid;
  const old = await findPid();
  if (old !== undefined) process.kill(old, "SIGTERM");
  const answers = await waitFor(
    async () => ((await findPid()) !== old && (await isServing(url)) ? true : undefined),
    50,
    restartLimitMs,
  );
  if (answers) return;
  throw new RowhouseError(
    failure,
    `${name} does not answer after its restart: see ${logFile}.`,
    "Restart the stack: until then the change may not hold.",
  );
}

async function isServing(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).status < 500;
  } catch {
    return false; // Not listening yet.
  }
}
