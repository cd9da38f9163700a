import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { promisify } from "node:util";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";

const run = promisify(execFile);

/** Where Debian puts the programs of each major version. */
const debian = "/usr/lib/postgresql";

/**
 * The program of PostgreSQL that fits a server: of its major version, or else the next later one.
 * An older one refuses, and a much later one writes what the server does not know.
 *
 * @throws RowhouseError tool_missing
 */
export async function findTool(name: "pg_dump" | "pg_restore", major: number): Promise<string> {
  const found: { file: string; major: number }[] = [];
  for (const file of candidates(name)) found.push({ file, major: await readMajor(file) });
  const fitting = found.filter((tool) => tool.major >= major);
  const [best] = fitting.sort((one, other) => one.major - other.major);
  if (best) return best.file;
  const there = [...new Set(found.map((tool) => tool.major))].filter((one) => one > 0);
  throw new RowhouseError(
    "tool_missing",
    `PostgreSQL ${major} needs ${name} of version ${major} or later, and ${there.length === 0 ? "none is" : `only ${there.join(", ")} is`} installed.`,
    `Install it (Debian: postgresql-client-${major}, from apt.postgresql.org when Debian's own is older), or put it on the PATH.`,
  );
}

function candidates(name: string): string[] {
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
  ];
  return folders.map((folder) => join(folder, name)).filter((file) => existsSync(file));
}

async function readMajor(file: string): Promise<number> {
  try {
    const { stdout } = await run(file, ["--version"]);
    return Number(/\) (\d+)/.exec(stdout)?.[1] ?? 0);
  } catch {
    return 0; // Not for us to run.
  }
}

/** What libpq calls a parameter of a URL in the environment. */
const parameters: Record<string, string> = {
  host: "PGHOST",
  port: "PGPORT",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  channel_binding: "PGCHANNELBINDING",
  options: "PGOPTIONS",
};

/**
 * The URL as libpq's variables: arguments can be read by every user of the machine. Nothing else
 * of libpq's comes in from the user's shell.
 */
export function libpqEnvironment(url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PG"));
  const given = [...searchParams].flatMap(([name, value]) => {
    const variable = parameters[name];
    return variable === undefined ? [] : [[variable, value]];
  });
  return {
    ...Object.fromEntries(own),
    PGHOST: hostname.replace(/^\[|\]$/g, ""),
    PGPORT: port || "5432",
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    ...Object.fromEntries(given),
  };
}

/**
 * Runs a program of PostgreSQL on a database.
 *
 * @returns What it printed.
 * @throws RowhouseError with the code, and the program's last lines of output.
 */
export async function runTool(
  file: string,
  args: readonly string[],
  url: string,
  code: "backup_failed" | "restore_failed",
  signal: AbortSignal,
): Promise<string> {
  try {
    const options = { env: libpqEnvironment(url), signal, maxBuffer: 64 * 1024 * 1024 };
    return (await run(file, args, options)).stdout;
  } catch (error) {
    signal.throwIfAborted();
    const { stderr } = error as { stderr?: string };
    const message = stderr?.trim().split("\n").slice(-6).join("\n") || errorMessage(error);
    const name = basename(file);
    throw new RowhouseError(
      code,
      `${name} failed: ${message}`,
      "Its message says why; nothing was kept.",
      {
        cause: error,
      },
    );
  }
}
