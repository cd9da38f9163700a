import { createRowhouse, type Rowhouse } from "../../../../client/index.ts";
import type { Action, Caller } from "./actions.ts";
import {
  type Contestant,
  createCallContestant,
  createHttpContestant,
  fetchAnswer,
} from "./contestant.ts";
import type { BenchDatabase } from "./database.ts";
import { type Answer, graphql, postgrest, postgrestWithoutPolicies, routes } from "./dialects.ts";
import { type ContestantName, peers } from "./names.ts";
import { createPgbench, findPgbench } from "./pgbench.ts";
import { type BenchServer, signBare, startBare, startPeer } from "./servers.ts";

/**
 * Starts those that are chosen.
 *
 * @param second A database with other rows, for those that are compared on it.
 * @param onServer Takes each server that was started, to be stopped.
 */
export async function startContestants(
  names: readonly string[],
  database: BenchDatabase,
  second: BenchDatabase | undefined,
  onServer: (server: BenchServer) => void,
  report: (line: string) => void,
): Promise<Contestant[]> {
  const chosen: Contestant[] = [];
  for (const name of names as ContestantName[]) {
    const one = await start(name, database, second, onServer);
    if (one === undefined) report(`left out: ${name}, which is not there`);
    else chosen.push(one);
  }
  return chosen;
}

async function start(
  name: ContestantName,
  database: BenchDatabase,
  second: BenchDatabase | undefined,
  onServer: (server: BenchServer) => void,
): Promise<Contestant | undefined> {
  switch (name) {
    case "rowhouse":
      return createRowhouseContestant(name, database);
    case "rowhouse-rows":
      return second && createRowhouseContestant(name, second);
    case "rowhouse-many":
      return second && createRowhouseContestant(name, onlyMany(second));
    case "client": {
      const call = createClientCall(database);
      return createCallContestant(name, database, call);
    }
    case "fetch":
      return createCallContestant(name, database, (action, caller) =>
        fetchAnswer(database.stack.apiUrl, postgrest, action, caller, caller.token),
      );
    case "pgbench": {
      const program = findPgbench();
      return program === undefined ? undefined : createPgbench(program, database);
    }
    case "rowhouse-bare": {
      const server = await startBare(database);
      onServer(server);
      return createHttpContestant(name, server.url, postgrestWithoutPolicies, {
        database,
        pids: [server.pid],
        sign: (caller) => signBare(database, caller),
      });
    }
    default: {
      const peer = peers.find((one) => one === name);
      if (peer === undefined) throw new Error(`There is no ${name}.`);
      const server = await startPeer(peer, database);
      onServer(server);
      const dialect = peer === "postgraphile-rls" ? graphql : routes;
      return createHttpContestant(name, server.url, dialect, { database, pids: [server.pid] });
    }
  }
}

function createRowhouseContestant(name: ContestantName, database: BenchDatabase): Contestant {
  const pids = [database.pids.postgrest];
  return createHttpContestant(name, database.stack.apiUrl, postgrest, { database, pids });
}

/** The user with a tenth of all reads in the place of the one with few. */
function onlyMany(database: BenchDatabase): BenchDatabase {
  const { many, writer } = database.callers;
  return { ...database, callers: { few: many, many, writer } };
}

function createClientCall({ stack }: BenchDatabase) {
  const clients = new Map<string, Rowhouse>();
  return async (action: Action, { token }: Caller): Promise<Answer> => {
    const db = clients.get(token) ?? createRowhouse({ url: stack.apiUrl, token, retry: false });
    clients.set(token, db);
    return callClient(db, action);
  };
}

async function callClient(db: Rowhouse, action: Action): Promise<Answer> {
  switch (action.kind) {
    case "list": {
      const { limit, before, search, withUser } = action;
      // A page of the client asks for one row more, and the server gives 1,000 at most.
      const options = {
        limit: Math.min(limit, 999),
        where: {
          ...(before === undefined ? {} : { id: { lt: before } }),
          ...(search === undefined ? {} : { title: { contains: search } }),
        },
      };
      const page = withUser
        ? await db.tasks.list({ ...options, with: ["users"] })
        : await db.tasks.list(options);
      return page.items;
    }
    case "get":
      return [await db.tasks.get(action.id)];
    case "count":
      return db.tasks.count();
    case "create":
      return [await db.tasks.create({ id: action.id, title: action.title })];
    case "update":
      return [await db.tasks.update(action.id, { title: action.title })];
    case "delete":
      return db.tasks.delete(action.id).then(() => undefined);
  }
}
