import pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";

/**
 * Connects, lets something be done, and disconnects.
 *
 * @throws RowhouseError database_unreachable, also when the connection breaks; database_refused
 */
export async function withClient<T>(
  url: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // Without a listener a connection that breaks while idle would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    // Where it was the driver that gave up, the server still waits, and so would this process.
    void client.end().catch(() => {});
    throw toConnectionError(error, url);
  }
  try {
    await client.query(withoutCompiling);
    return await use(client);
  } catch (error) {
    throw isLost(error) ? toLostError(error, url) : error;
  } finally {
    await client.end();
  }
}

/**
 * Servers with LLVM compile a query that they expect to be expensive. For those that read the catalog
 * this takes seconds (11.6 s of rehearse's on PostgreSQL 15), and running them takes milliseconds.
 */
export const withoutCompiling = "set jit = off";

/** SQLSTATEs of a server that ends, and system errors of a connection that breaks. */
const lost = new Set(["57P01", "57P02", "57P03", "ECONNRESET", "EPIPE"]);

/** What the driver says when the server is gone; these errors have no code. */
const gone =
  /^Connection terminated|^Client has encountered a connection error|^Client was closed and is not queryable/;

/** Whether an error, or what it comes from, is that the server ended a connection. */
export function isConnectionLost(error: unknown): boolean {
  return isLost(error instanceof RowhouseError ? error.cause : error);
}

function isLost(error: unknown): boolean {
  if (error instanceof RowhouseError) return false;
  return lost.has(errorCode(error) ?? "") || gone.test(errorMessage(error));
}

function toLostError(error: unknown, url: string): RowhouseError {
  return new RowhouseError(
    "database_unreachable",
    `${withoutPassword(url)} ended the connection: ${errorMessage(error)}.`,
    "Check that the server runs, and its log; then try again.",
    { cause: error },
  );
}

/** The SQLSTATEs of class 28, 3D and others: the server answers, and does not let us in. */
const refusals: Record<string, string> = {
  "28P01": "Correct the password in its URL.",
  "28000": "Correct the user in its URL, or the server's pg_hba.conf.",
  "3D000": "Create the database, or correct its name in the URL.",
  "42501": "Grant the user CONNECT on the database, or use another one.",
  // What poolers say of parameters that they do not pass on.
  "08P01": "Give the URL of the database itself, and not of a pooler in front of it.",
};

/** The driver's message when the server asks for a password, and the URL has none. */
const passwordMissing = "client password must be a string";

function toConnectionError(error: unknown, url: string): RowhouseError {
  const target = withoutPassword(url);
  const remedy = errorMessage(error).includes(passwordMissing)
    ? "The server asks for a password: put it into the URL."
    : refusals[errorCode(error) ?? ""];
  if (remedy !== undefined) {
    return new RowhouseError(
      "database_refused",
      `${target} refused us: ${errorMessage(error)}.`,
      remedy,
      {
        cause: error,
      },
    );
  }
  return new RowhouseError(
    "database_unreachable",
    `${target} is unreachable: ${errorMessage(error)}.`,
    "Check that the server runs, and the host and port in its URL.",
    { cause: error },
  );
}

/** A database URL that can be shown. */
export function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = "";
  shown.search = "";
  return shown.href;
}

/** The URL of another database on the same server. */
export function inDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
