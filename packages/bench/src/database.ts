import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject, readSettings, type Settings, type Stack, startStack } from "rowhouse";

/** A stack in a home of its own, and with what it was started. */
export interface BenchStack {
  readonly stack: Stack;
  readonly settings: Settings;
}

/** What belongs to the developer's own stack, and must not be measured or filled. */
const none = { DATABASE_URL: "", AUTHENTICATOR_PASSWORD: "", DB_PORT: "" };

/** Two stacks at once cannot both have the port of sign-in, which nothing here asks. */
const own = () => ({ AUTH: "off", JWT_SECRET: randomBytes(32).toString("hex") });

/**
 * Lets work use a stack of a project, without sign-in, in a home that is removed afterwards, also when the work
 * fails or is interrupted.
 *
 * @param keep Leaves the home, and reports where it is.
 * @param folder In the project; this package's is in the top level.
 */
export async function withStack<T>(
  keep: boolean,
  report: (line: string) => void,
  work: (bench: BenchStack) => Promise<T>,
  folder = import.meta.dirname,
): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), "rowhouse-bench-"));
  try {
    const settings = readSettings(
      {
        ...process.env,
        ...none,
        ...own(),
        ROWHOUSE_HOME: home,
        API_PORT: String(await freePort()),
      },
      openProject(folder),
    );
    const stack = await startStack(settings, report);
    try {
      return await work({ stack, settings });
    } finally {
      await stack.stop();
    }
  } finally {
    if (keep) report(`kept in ${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
}

/** A port that nothing listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
