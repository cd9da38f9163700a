import { spawn } from "node:child_process";
import { once } from "node:events";

/** Variables of the environment; undefined unsets one. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What a program printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a user: nothing of the npm and the Vitest that run the tests. */
export function userEnvironment(variables: Variables = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_registry$)|VITEST|NODE_ENV$|NODE_PATH$|TEST$|DEV$|PROD$|MODE$|INIT_CWD$)/.test(
        name,
      ),
  );
  return { ...Object.fromEntries(own), ...variables };
}

/** Runs a program to its end, with no terminal and nothing to read. */
export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  variables: Variables = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    cwd,
    env: userEnvironment(variables),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = await once(child, "close");
  return { code: code ?? (signal ? 128 : 1), stdout, stderr };
}

/**
 * Runs a program that has to succeed.
 *
 * @returns All that it printed to stdout.
 * @throws Error with all that it printed when its exit code is not 0.
 */
export async function succeed(
  program: string,
  args: readonly string[],
  cwd: string,
  variables: Variables = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, cwd, variables);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} exited with ${code}:\n${stdout}\n${stderr}`);
}

/** Runs a line of shell that has to succeed, and prints how long it took. */
export async function shell(line: string, cwd: string, variables: Variables = {}): Promise<string> {
  return timed(line, () => succeed("bash", ["-c", line], cwd, variables));
}

/** Prints how long work took. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  process.stdout.write(
    `${((performance.now() - start) / 1000).toFixed(1).padStart(7)} s  ${what}\n`,
  );
  return result;
}
