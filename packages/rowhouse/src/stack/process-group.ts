import { type ErrorCode, RowhouseError } from "../lib/errors.ts";
import { watchAnswers } from "./answers.ts";
import type { HomeLock } from "./lock.ts";
import { rotateLogs } from "./log-files.ts";
import { lastLines, type Server } from "./process.ts";
import { type SupervisedServer, supervise } from "./supervisor.ts";
import { startWatchdog } from "./watchdog.ts";

/** A server program of the stack. */
interface GroupMember {
  /** The name for people: "PostgreSQL". */
  readonly name: string;
  /** The name of the process: "postgres". */
  readonly program: string;
  /** Starts the program. */
  readonly launch: () => Promise<Server>;
  /** Resolves when it can be used; when it cannot, ends it and rejects. */
  readonly ready: (server: Server) => Promise<void>;
  /** Resolves when the server answers: one that has stopped doing so is killed, and started again. */
  readonly ask?: (signal: AbortSignal) => Promise<unknown>;
  readonly logFile: string;
  readonly failure: ErrorCode;
}

/** The servers of one stack: kept running together, stopped together. */
export interface ProcessGroup {
  /** Starts a server and keeps it running. */
  readonly add: (member: GroupMember) => Promise<void>;
  /** Rejects when one of the servers keeps ending; resolves when all were stopped. */
  readonly done: () => Promise<void>;
  /** Stops all of them, the last first, also one that is still starting; none can be added any more. */
  readonly stop: () => Promise<void>;
}

/** An empty group. Its servers end with this process, whatever ends it. */
export function createProcessGroup(lock: HomeLock, report: (line: string) => void): ProcessGroup {
  const watchdog = startWatchdog();
  const running = new Map<string, Server>();
  const starting = new Set<Server>();
  const members: SupervisedServer[] = [];
  const logs: string[] = [];
  const endings: (() => void)[] = [];
  let stopped = false;
  endings.push(rotateLogs(() => logs));

  const note = (program: string, server: Server) => {
    running.set(program, server);
    watchdog([...running.values()]);
    const servers = [...running].map(([key, { pid, start }]) => [key, { pid, start }]);
    lock.update({ servers: Object.fromEntries(servers) });
  };

  const start = async ({ program, launch, ready }: GroupMember) => {
    const server = await launch();
    try {
      note(program, server); // Before it is ready: the watchdog must know of it from the start.
    } catch (error) {
      await server.stop();
      throw error;
    }
    starting.add(server);
    try {
      if (stopped) await server.stop();
      await ready(server);
      return server;
    } finally {
      starting.delete(server);
    }
  };

  const add = async (member: GroupMember) => {
    const { name, program, ask, logFile, failure } = member;
    const refuse = () => new Error(`The stack was stopped before ${name} was started.`);
    if (stopped) throw refuse();
    logs.push(logFile);
    const server = await start(member);
    if (stopped) {
      await server.stop();
      throw refuse();
    }
    if (ask) endings.push(watchAnswers({ ask, onSilence: () => kill(name, program) }));
    members.push(
      supervise({
        name,
        server,
        restart: () => start(member),
        report,
        giveUp: (reason) =>
          new RowhouseError(
            failure,
            `${name} keeps ending, the last time with: ${reason}. The end of ${logFile}:\n${lastLines(logFile)}`,
            "See the log.",
          ),
      }),
    );
  };

  /** What does not answer also may not follow a request to end. */
  const kill = (name: string, program: string) => {
    report(`${name} does not answer any more: killing it.`);
    running.get(program)?.kill();
  };

  const stop = async () => {
    stopped = true;
    for (const end of endings) end();
    for (const server of starting) await server.stop();
    for (const member of members.toReversed()) await member.stop();
    watchdog([]);
  };

  const done = async () => {
    await Promise.all(members.map((member) => member.done));
  };

  return { add, done, stop };
}
