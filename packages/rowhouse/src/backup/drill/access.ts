import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { findPostgrest } from "../../stack/binaries.ts";
import { freePort, loopback } from "../../stack/ports.ts";
import { launchPostgrest, postgrestReady } from "../../stack/postgrest.ts";
import { signToken } from "../../stack/token.ts";
import { startWatchdog } from "../../stack/watchdog.ts";
import type { Check } from "./checks.ts";

/** Somebody with a token, who asks the API. */
interface Caller {
  readonly id: string;
  readonly ask: (method: string, path: string, body?: object) => Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  /** How many rows came back. */
  readonly rows: number;
  /** The id of the first of them. */
  readonly id: string | undefined;
}

/** What has to come of one try. */
interface Try {
  readonly who: string;
  readonly answer: Answer;
  readonly ok: (answer: Answer) => boolean;
}

/**
 * Serves a restored database with PostgREST, and lets two fresh users try each verb on their own
 * task and on each other's.
 *
 * @param url The database, as authenticator.
 * @param dir A folder for the log.
 */
export async function replayMatrix(
  url: string,
  dir: string,
  postgrestBin: string | undefined,
): Promise<Check> {
  const secret = randomBytes(32).toString("hex");
  const options = {
    binary: findPostgrest(postgrestBin),
    databaseUrl: url,
    port: await freePort(),
    adminPort: await freePort(),
    jwtSecret: secret,
    jwtAud: "drill",
    jwtIss: "drill",
    pool: 2,
    maxRows: 100,
    logFile: join(dir, "postgrest.log"),
    // A secret among the database's own settings would win over this one's.
    extra: { PGRST_DB_CONFIG: "false" },
  };
  const server = await launchPostgrest(options);
  startWatchdog()([server]);
  try {
    await postgrestReady(options, server);
    const api = `http://${loopback}:${options.port}`;
    const [alice, bob] = [await newcomer(api, secret), await newcomer(api, secret)];
    const tries = [
      ...(await triesOf("Alice", alice, bob)),
      ...(await triesOf("Bob", bob, alice)),
      ...(await strangersTries(api)),
    ];
    const faults = tries.filter(({ answer, ok }) => !ok(answer)).map(describe);
    return { name: "access", of: `${tries.length} requests of two users and a stranger`, faults };
  } finally {
    await server.stop();
  }
}

async function triesOf(name: string, me: Caller, other: Caller): Promise<Try[]> {
  const changed = { completed: true };
  const { id: theirs } = await other.ask("POST", "/tasks", { title: "theirs" });
  const made = await me.ask("POST", "/tasks", { title: "mine" });
  const mine = made.id;
  const tries: Try[] = [];
  const attempt = async (what: string, ok: Try["ok"], asked: Promise<Answer>) => {
    tries.push({ who: `${name} ${what}`, answer: await asked, ok });
  };
  await attempt("makes a task", did(1), Promise.resolve(made));
  await attempt("reads it", did(1), me.ask("GET", `/tasks?id=eq.${mine}`));
  await attempt("changes it", did(1), me.ask("PATCH", `/tasks?id=eq.${mine}`, changed));
  await attempt("reads another's", did(0), me.ask("GET", `/tasks?id=eq.${theirs}`));
  await attempt("lists no other's", did(0), me.ask("GET", `/tasks?user_id=eq.${other.id}`));
  await attempt("changes another's", did(0), me.ask("PATCH", `/tasks?id=eq.${theirs}`, changed));
  await attempt("deletes another's", did(0), me.ask("DELETE", `/tasks?id=eq.${theirs}`));
  await attempt(
    "makes a task for another",
    refused,
    me.ask("POST", "/tasks", { user_id: other.id, title: "forged" }),
  );
  await attempt("reads another's user", did(0), me.ask("GET", `/users?id=eq.${other.id}`));
  await attempt("deletes it", did(1), me.ask("DELETE", `/tasks?id=eq.${mine}`));
  // Nothing came back above; that nothing happened either, the owner sees.
  await attempt(
    "has left another's as it was",
    did(1),
    other.ask("GET", `/tasks?id=eq.${theirs}&completed=is.false`),
  );
  return tries;
}

async function strangersTries(api: string): Promise<Try[]> {
  const stranger = caller(api, "", undefined);
  const paths = ["/tasks", "/users"];
  return Promise.all(
    paths.map(async (path) => ({
      who: `A stranger reads ${path}`,
      answer: await stranger.ask("GET", path),
      ok: refused,
    })),
  );
}

function did(rows: number): Try["ok"] {
  return (answer) => answer.status < 300 && answer.rows === rows;
}

const refused: Try["ok"] = ({ status, code }) =>
  (status === 401 || status === 403) && code === "42501";

function describe({ who, answer }: Try): string {
  return `${who}: answered ${answer.status}${answer.code ? ` (${answer.code})` : ""}, with ${answer.rows} rows`;
}

async function newcomer(api: string, secret: string): Promise<Caller> {
  const id = randomUUID();
  const user = { id, email: `drill-${id}@example.com` };
  const token = signToken(user, { secret, aud: "drill", iss: "drill", expiresIn: 600 });
  const me = caller(api, id, token);
  await me.ask("POST", "/rpc/me", {});
  return me;
}

function caller(api: string, id: string, token: string | undefined): Caller {
  return {
    id,
    ask: async (method, path, body) => {
      const answer = await fetch(`${api}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          "content-type": "application/json",
          prefer: "return=representation",
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const content: unknown = await answer.json().catch(() => undefined);
      const rows: { id?: string }[] = Array.isArray(content) ? content : [];
      const code = (content as { code?: string } | undefined)?.code;
      return { status: answer.status, code, rows: rows.length, id: rows[0]?.id };
    },
  };
}
