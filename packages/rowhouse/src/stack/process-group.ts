import { type ErrorCode, RowhouseError } from "../lib/errors.ts";
import type { Hold } from "./lock.ts";
import { boundLogs } from "./log-files.ts";
import { lastLines, type Server } from "./process.ts";
import { type Supervised, supervise } from "./supervisor.ts";
import { startGuard } from "./watchdog.ts";

/** A server program of the stack. */
interface Member {
  /** The name for people: "PostgreSQL". */
  readonly name: string;
  /** The name of the process: "postgres". */
  readonly program: string;
  /** Starts the program. */
  readonly launch: () => Promise<Server>;
  /** Resolves when it can be used; when it cannot, ends it and rejects. */
  readonly ready: (server: Server) => Promise<void>;
  readonly logFile: string;
  readonly failure: ErrorCode;
}

/** The servers of one stack: kept running together, stopped together. */
export interface Crew {
  /** Starts a server and keeps it running. */
  readonly add: (member: Member) => Promise<void>;
  /** Rejects when one of the servers keeps ending; resolves when all were stopped. */
  readonly done: () => Promise<void>;
  /** Stops all of them, the last first. */
  readonly stop: () => Promise<void>;
}

/** An empty crew. Its servers end with this process, whatever ends it. */
export function newCrew(hold: Hold, say: (line: string) => void): Crew {
  const guard = startGuard();
  const running = new Map<string, Server>();
  const members: Supervised[] = [];
  const logs: string[] = [];
  const endLogs = boundLogs(() => logs);

  const note = (program: string, server: Server) => {
    running.set(program, server);
    guard([...running.values()]);
    hold.update({ servers: Object.fromEntries([...running].map(([key, { pid }]) => [key, pid])) });
  };

  const start = async ({ program, launch, ready }: Member) => {
    const server = await launch();
    note(program, server); // Before it is ready: the guard must know of it from the first moment.
    await ready(server);
    return server;
  };

  const add = async (member: Member) => {
    const { name, logFile, failure } = member;
    logs.push(logFile);
    const server = await start(member);
    members.push(
      supervise({
        name,
        server,
        restart: () => start(member),
        say,
        giveUp: (reason) =>
          new RowhouseError(
            failure,
            `${name} keeps ending, the last time with: ${reason}. The end of ${logFile}:\n${lastLines(logFile)}`,
            "The log says why.",
          ),
      }),
    );
  };

  const stop = async () => {
    for (const member of members.toReversed()) await member.stop();
    endLogs();
    guard([]);
  };

  const done = async () => {
    await Promise.all(members.map((member) => member.done));
  };

  return { add, done, stop };
}
