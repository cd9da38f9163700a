import { readFileSync } from "node:fs";
import { join } from "node:path";
import { span } from "../../lib/format.ts";
import { findProject } from "../../lib/project.ts";
import { version } from "../../lib/version.ts";
import { readApiNames } from "../../stack/api-names.ts";
import { adoptRemedy, findAdoptable } from "../../stack/baseline.ts";
import { withClient, withoutPassword } from "../../stack/database.ts";
import { listMigrations, type Migration } from "../../stack/dbmate.ts";
import { withExistingDatabase } from "../../stack/embedded.ts";
import { openHome } from "../../stack/home.ts";
import { runningState } from "../../stack/lock.ts";
import type { Settings } from "../../stack/settings.ts";
import { signInAnswers } from "../../stack/sign-in.ts";
import { type ApiStatus, readApi } from "./api.ts";
import { type Copies, readCopies } from "./copies.ts";

/** The result of `rowhouse status`. Undefined is what is not known, or not there. */
export interface Status {
  readonly rowhouse: string;
  readonly home: string;
  /** When the stack of this home was started, in ISO 8601. */
  readonly startedAt: string | undefined;
  readonly apiUrl: string | undefined;
  readonly api: ApiStatus | undefined;
  /** The sign-in service of the stack that runs; undefined where it is off. */
  readonly signIn: { readonly url: string; readonly answers: boolean } | undefined;
  readonly database: DatabaseStatus;
  readonly migrations: readonly Migration[];
  /** The migration of `rowhouse init` that waits for `db adopt`. */
  readonly adoptable: string | undefined;
  /** Of each database that the home holds backups of. */
  readonly copies: readonly Copies[];
  readonly problems: readonly string[];
}

/** The status of the database. */
interface DatabaseStatus {
  readonly shown: string;
  /** Whether it ran before this command came. */
  readonly running: boolean;
  readonly postgres: string;
  readonly upSeconds: number;
  readonly bytes: number;
  /** Of the blocks that were read, the share that was in PostgreSQL's cache; 0 to 1. */
  readonly cacheHitRate: number | undefined;
  readonly maxConnections: number;
  /** All connections of the server but this command's. */
  readonly connections: readonly { application: string; state: string; count: number }[];
  /** Whether the role may not see what other connections do: then `pool` is not known. */
  readonly hidden: boolean;
  /** PostgREST's connections: `size` is the most that it is allowed (DB_POOL). */
  readonly pool:
    | { readonly size: number; readonly open: number; readonly busy: number }
    | undefined;
  readonly oldestTransactionSeconds: number | undefined;
}

/** Looks at the stack of a home and at its database. */
export async function readStatus(settings: Settings): Promise<Status> {
  const home = openHome(settings.home);
  const state = await runningState(home);
  const running = settings.databaseUrl !== undefined || state !== undefined;
  const signInUrl = state?.signInUrl;
  return withExistingDatabase(settings, home, async (url) => {
    const [api, signIn, database, migrations, adoptable] = await Promise.all([
      state?.apiUrl ? readApi(state.apiUrl, home.postgrestLog) : undefined,
      signInUrl
        ? signInAnswers(signInUrl).then((answers) => ({ url: signInUrl, answers }))
        : undefined,
      readDatabase(url, running, settings.dbPool),
      listMigrations(url),
      findAdoptable(url),
    ]);
    const status = {
      rowhouse: version(),
      home: home.dir,
      startedAt: state?.startedAt,
      apiUrl: state?.apiUrl,
      api,
      signIn,
      database,
      migrations,
      adoptable,
      copies: readCopies(home),
    };
    return { ...status, problems: findProblems(status) };
  });
}

const query = (name: string) => readFileSync(join(import.meta.dirname, `${name}.sql`), "utf8");

async function readDatabase(url: string, running: boolean, size: number): Promise<DatabaseStatus> {
  return withClient(url, async (client) => {
    const { logins } = await readApiNames(client, findProject());
    const { rows } = await client.query(query("figures"), [logins]);
    const connections = (await client.query(query("connections"), [logins])).rows;
    const [figures] = rows;
    return {
      shown: running ? withoutPassword(url) : "embedded, not running",
      running,
      postgres: figures.version,
      upSeconds: figures.up_seconds,
      bytes: figures.bytes,
      cacheHitRate: figures.cache_hit_rate ?? undefined,
      maxConnections: figures.max_connections,
      connections,
      hidden: figures.hidden,
      pool: figures.hidden ? undefined : { size, open: figures.pool_open, busy: figures.pool_busy },
      oldestTransactionSeconds: figures.oldest_transaction_seconds ?? undefined,
    };
  });
}

/** A transaction that is open longer keeps vacuum from its work. */
const longSeconds = 300;

/** How full the server may be: the last connections are for the DBA who fixes it. */
const crowded = 0.9;

/** What is wrong at this moment, a sentence each; none when all is well. */
export function findProblems(status: Omit<Status, "problems">) {
  const { api, signIn, database, migrations, adoptable, copies } = status;
  const pending = migrations.filter(({ applied }) => !applied).length;
  const { connections, maxConnections, pool, oldestTransactionSeconds } = database;
  const open = connections.reduce((sum, { count }) => sum + count, 0);
  const old = oldestTransactionSeconds ?? 0;
  return [
    pending > 0 &&
      `${pending} of ${migrations.length} migrations are pending.${adoptable === undefined ? "" : ` ${adoptRemedy}`}`,
    api?.answers === false && `The API does not answer at ${api.url}.`,
    signIn?.answers === false && `The sign-in service does not answer at ${signIn.url}.`,
    open >= crowded * maxConnections && `${open} of ${maxConnections} connections are taken.`,
    api !== undefined &&
      pool !== undefined &&
      pool.busy >= pool.size &&
      "Every connection of the pool is busy.",
    old > longSeconds && `A transaction has been open for ${span(old)}.`,
    ...copies
      .filter(({ drill }) => drill?.ok === false)
      .map(
        ({ database }) => `The last drill of ${database} failed: no backup is known to be good.`,
      ),
  ].filter((problem) => problem !== false);
}
