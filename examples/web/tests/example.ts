import { spawn } from "node:child_process";
import { once } from "node:events";
import { freePort, waitFor } from "rowhouse/testing";
import { projectRoot } from "./project.ts";

/** Keeps the developer's own stack out of it. */
const ownStack = {
  DATABASE_URL: "",
  AUTHENTICATOR_PASSWORD: "",
  JWT_SECRET: "",
  DB_PORT: "",
  AUTH: "",
  AUTH_URL: "",
  SMTP_URL: "",
};

/** `npm run example`, running. */
export interface Example {
  readonly home: string;
  readonly apiUrl: string;
  readonly apiPort: string;
  readonly authPort: string;
  /** Resolves with the page's address, once it is printed; fails with the output if it never is. */
  readonly pageUrl: () => Promise<string>;
  /** What it has printed to stdout, and to stderr. */
  readonly printed: () => { stdout: string; stderr: string };
  /** Sends a signal and resolves with the exit code. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Resolves with the exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

/** Starts the example on a home, and does not wait. */
export async function launchExample(
  home: string,
  {
    apiPort,
    authPort,
    authProviders = "",
  }: { apiPort?: string; authPort?: string; authProviders?: string } = {},
): Promise<Example> {
  const port = apiPort ?? String(await freePort());
  const signInPort = authPort ?? String(await freePort());
  const child = spawn(process.execPath, ["--import", "tsx", "examples/web/serve.ts"], {
    cwd: projectRoot,
    env: {
      ...process.env,
      ...ownStack,
      NO_COLOR: "1",
      ROWHOUSE_HOME: home,
      API_PORT: port,
      AUTH_PORT: signInPort,
      AUTH_PROVIDERS: authProviders,
    },
  });
  const printed = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    printed.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    printed.stderr += chunk;
  });
  const ended = once(child, "close").then(() => child.exitCode);
  return {
    home,
    apiPort: port,
    authPort: signInPort,
    apiUrl: `http://127.0.0.1:${port}`,
    pageUrl: async () => {
      const address = () => /^The page: (\S+)$/m.exec(printed.stdout)?.[1];
      const said = () => address() ?? (child.exitCode === null ? undefined : "");
      const url = await waitFor(said, 10, 40_000);
      if (url) return url;
      throw new Error(`The example did not come up:\n${printed.stdout}${printed.stderr}`);
    },
    printed: () => printed,
    ended,
    end: async (signal = "SIGINT") => {
      child.kill(signal);
      return ended;
    },
  };
}
