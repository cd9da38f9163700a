import { setTimeout as delay } from "node:timers/promises";
import {
  findRunningApi,
  RowhouseError,
  readSettings,
  type Settings,
  type Stack,
  startStack,
} from "rowhouse";
import { printMail } from "./mail.ts";
import { startPage } from "./page.ts";

// `npm run example`: the stack and the page, until Ctrl-C.

/** As much of a stack as the page needs. */
type Backend = Pick<Stack, "apiUrl" | "done" | "stop">;

async function main(): Promise<void> {
  const settings = readSettings();
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => resolve("interrupted"));
    }
  });
  const backend = await Promise.race([findOrStart(settings), interrupted]);
  // Interrupted while starting: the stack's watchdog ends what runs already.
  if (backend === "interrupted") process.exit(1);
  try {
    const authUrl = signInUrl(settings);
    const page = await startPage(settings, { apiUrl: backend.apiUrl, authUrl });
    const stopMail = printMail(settings.home, print);
    print(`The API:  ${backend.apiUrl}`);
    print(`Sign-in:  ${authUrl}`);
    print(`The page: ${page.url}`);
    await Promise.race([interrupted, backend.done]).finally(stopMail).finally(page.stop);
  } finally {
    await backend.stop();
  }
}

/** Where the browser reaches the sign-in service of the stack. */
function signInUrl({ authUrl, authPort }: Settings): string {
  return authUrl ?? `http://127.0.0.1:${authPort}/auth`;
}

/** The stack that runs in the home already; else a new one. */
async function findOrStart(settings: Settings): Promise<Backend> {
  try {
    const stack = await startStack(settings, note);
    if ("offBecause" in stack.signIn) note(`Nobody can sign in: ${stack.signIn.offBecause}`);
    return stack;
  } catch (error) {
    if (!(error instanceof RowhouseError && error.code === "home_in_use")) throw error;
    note("Rowhouse runs already: the page uses that one, and leaves it running.");
    const apiUrl = await waitForApi(settings, error);
    return { apiUrl, done: new Promise(() => {}), stop: async () => {} };
  }
}

/** A stack that is just starting has no address yet: it is waited for, 20 s at most. */
async function waitForApi(settings: Settings, error: RowhouseError): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const apiUrl = await findRunningApi(settings);
    if (apiUrl !== undefined) return apiUrl;
    if (Date.now() > deadline) throw error;
    await delay(100);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof RowhouseError)
    note(`error [${error.code}] ${error.message}\n${error.remedy}`);
  else note(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
