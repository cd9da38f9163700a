import type { Action, Caller, Operation } from "./actions.ts";
import type { BenchDatabase } from "./database.ts";
import type { Answer, Dialect } from "./dialects.ts";
import { formatRequest, type Load, openConnection, runLoad } from "./http.ts";
import type { ContestantName } from "./names.ts";

/** How long, with how many at once. */
interface LoadOptions {
  readonly callers: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** One of those that are compared. */
export interface Contestant {
  readonly name: ContestantName;
  readonly database: BenchDatabase;
  /** Its server, beside PostgreSQL. */
  readonly pids: readonly number[];
  /** Whether it has the operation. */
  readonly can: (operation: Operation) => boolean;
  /** @throws where a request fails. */
  readonly load: (operation: Operation, caller: Caller, options: LoadOptions) => Promise<Load>;
  /** What it answers, to be compared; undefined where it has no answers of its own. */
  readonly answer?: (action: Action, caller: Caller) => Promise<Answer>;
}

/** A server that is asked over HTTP, by a load that costs little. */
export function createHttpContestant(
  name: ContestantName,
  url: string,
  dialect: Dialect,
  {
    database,
    pids,
    sign = ({ token }) => token,
  }: {
    readonly database: BenchDatabase;
    readonly pids: readonly number[];
    /** The token of a caller, where it is another. */
    readonly sign?: (caller: Caller) => string;
  },
): Contestant {
  const host = new URL(url).host;
  return {
    name,
    database,
    pids,
    can: (operation) => {
      const caller = { ...database.callers[operation.caller], tasks: [""] };
      const action = operation.next(caller, 0);
      return action !== undefined && dialect.ask(action, caller) !== undefined;
    },
    load: async (operation, caller, options) => {
      const token = sign(caller);
      const opening = Array.from({ length: options.callers }, () => openConnection(url));
      const connections = await Promise.all(opening);
      const send = (number: number, at: number) => {
        const action = operation.next(caller, at);
        const request = action && dialect.ask(action, caller);
        if (request === undefined) return undefined;
        const text = formatRequest(host, token, request);
        return connections[number]?.send(text).then((status) => status >= 200 && status < 300);
      };
      try {
        return await runLoad(send, options);
      } finally {
        for (const connection of connections) connection.close();
      }
    },
    answer: (action, caller) => fetchAnswer(url, dialect, action, caller, sign(caller)),
  };
}

/** Asks by fetch. @throws where it is refused. */
export async function fetchAnswer(
  url: string,
  dialect: Dialect,
  action: Action,
  caller: Caller,
  token: string,
): Promise<Answer> {
  const request = dialect.ask(action, caller);
  if (request === undefined) throw new Error(`It has no ${action.kind}.`);
  const { method, path, headers, body } = request;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return dialect.read(action, text, response.headers);
}

/** Calls that this process makes itself: its CPU time is theirs. */
export function createCallContestant(
  name: ContestantName,
  database: BenchDatabase,
  call: (action: Action, caller: Caller) => Promise<Answer>,
): Contestant {
  return {
    name,
    database,
    pids: [database.pids.postgrest],
    can: () => true,
    load: (operation, caller, options) =>
      runLoad((_, at) => {
        const action = operation.next(caller, at);
        return (
          action &&
          call(action, caller).then(
            () => true,
            () => false,
          )
        );
      }, options),
    answer: call,
  };
}
