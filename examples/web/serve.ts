import { RowhouseError } from "../../packages/rowhouse/src/lib/errors.ts";
import { note, print, printBug, printFailure } from "../../packages/rowhouse/src/lib/output.ts";
import { endingSignal } from "../../packages/rowhouse/src/lib/signals.ts";
import { waitFor } from "../../packages/rowhouse/src/lib/wait.ts";
import { openHome } from "../../packages/rowhouse/src/stack/home.ts";
import { runningState } from "../../packages/rowhouse/src/stack/lock.ts";
import { readSettings, type Settings } from "../../packages/rowhouse/src/stack/settings.ts";
import { type Stack, startStack } from "../../packages/rowhouse/src/stack/stack.ts";
import { startPage } from "./page.ts";

// `npm run example`: the stack and the page, until Ctrl-C.

/** As much of a stack as the page needs. */
type Backend = Pick<Stack, "apiUrl" | "done" | "stop">;

async function main(): Promise<void> {
  const settings = readSettings();
  const ending = endingSignal();
  const backend = await Promise.race([findOrStart(settings), ending]);
  // Interrupted while starting: the guard of the stack ends what runs already.
  if (typeof backend === "string") process.exit(1);
  try {
    const page = await startPage(settings, backend.apiUrl);
    print(`The API:  ${backend.apiUrl}`);
    print(`The page: ${page.url}`);
    await Promise.race([ending, backend.done]).finally(page.stop);
  } finally {
    await backend.stop();
  }
}

/** The stack that runs in the home already; else a new one. */
async function findOrStart(settings: Settings): Promise<Backend> {
  const apiUrl = await addressOfRunning(settings);
  if (apiUrl === undefined) return startStack(settings, note);
  note("Rowhouse runs already: the page uses that one, and leaves it running.");
  return { apiUrl, done: new Promise(() => {}), stop: async () => {} };
}

/** A stack that is just starting has no address yet: it is waited for. */
async function addressOfRunning({ home }: Settings): Promise<string | undefined> {
  const ask = async () => {
    const state = await runningState(openHome(home));
    return state === undefined ? "none" : state.apiUrl;
  };
  const found = await waitFor(ask, 100, 20_000);
  return found === "none" ? undefined : found;
}

try {
  await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof RowhouseError) printFailure(error);
  else printBug(error);
}
