import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openHome } from "../../src/stack/home.ts";
import { acquireLock } from "../../src/stack/lock.ts";
import { freePort } from "../../src/stack/ports.ts";
import { postgrestAnswers } from "../../src/stack/postgrest.ts";
import { identify } from "../../src/stack/process-identity.ts";
import { homeId, writeState } from "../../src/stack/state.ts";
import { launchStack, newHome, readyHome, rowhouse, startStack } from "../support/cli.ts";
import { areGone, isRunning } from "../support/processes.ts";

describe("a running stack", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "stops everything on %s, and leaves no process behind",
    async (signal) => {
      const stack = await startStack();
      const pids = Object.values(stack.servers());
      expect(pids).toHaveLength(3); // and the guard
      expect(await stack.end(signal)).toBe(0);
      expect(await areGone(pids)).toBe(true);
      expect(stack.output()).toMatch(/Rowhouse has stopped\.\n$/);
    },
  );

  test("that is killed takes its servers along, and can start again", async () => {
    const stack = await startStack();
    const pids = Object.values(stack.servers());
    await stack.end("SIGKILL");
    expect(await areGone(pids)).toBe(true);
    const again = await startStack(stack.env);
    expect((await fetch(again.url)).status).toBe(200);
  });

  test("that is killed together with its watchdog is cleaned up by the next start", async () => {
    const stack = await startStack();
    const pids = Object.values(stack.servers());
    process.kill(stack.pid("sh"), "SIGKILL");
    await stack.end("SIGKILL");
    const again = await startStack(stack.env);
    expect(await areGone(pids)).toBe(true);
    expect((await fetch(again.url)).status).toBe(200);
  });

  test("that was killed before it recorded a server is cleaned up, too", async () => {
    const stack = await startStack();
    const pids = Object.values(stack.servers());
    stack.process.kill("SIGSTOP"); // So that it starts none of them again.
    process.kill(stack.pid("sh"), "SIGKILL");
    process.kill(stack.pid("postgrest"), "SIGKILL");
    await stack.end("SIGKILL");
    const file = join(stack.home, "stack.json");
    const state = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...state, servers: {} }));
    await startStack(stack.env);
    expect(await areGone(pids)).toBe(true);
  });

  test("that is interrupted while it starts leaves no process behind", async () => {
    const stack = await launchStack();
    await stack.runs("postgres");
    const pids = Object.values(stack.servers());
    expect(await stack.end("SIGINT")).toBe(130);
    expect(await areGone(pids)).toBe(true);
    await startStack(stack.env);
  });
});

describe.each(["start", "dev"] as const)("rowhouse %s that is interrupted", (command) => {
  test("ends when PostgreSQL has ended, not before", async () => {
    const stack = await launchStack({ ROWHOUSE_HOME: readyHome() }, command);
    await stack.runs("postgres");
    const pid = stack.pid("postgres");
    expect(await stack.end("SIGINT")).toBe(130);
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(stack.home, "data", "postmaster.pid"))).toBe(false);
    expect(readdirSync(stack.home).filter((name) => /^(alive|stack)/.test(name))).toEqual([]);
  });

  test("ends when initdb has ended, while it makes the first data", async () => {
    const stack = await launchStack({ ROWHOUSE_HOME: newHome() }, command);
    await stack.runs("initdb");
    const pid = stack.pid("initdb");
    expect(await stack.end("SIGINT")).toBe(130);
    expect(isRunning(pid)).toBe(false);
  });
});

describe("a stack that is stopped as by a laptop that sleeps", () => {
  test("keeps its servers, whatever other commands do", async () => {
    const stack = await startStack();
    const pids = Object.values(stack.servers());
    stack.process.kill("SIGSTOP");
    const status = await rowhouse(["status"], stack.env);
    expect(status.stdout).toContain(stack.url);
    const token = (await rowhouse(["token", "alice@example.com"], stack.env)).stdout.trim();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${stack.url}/tasks`, { headers })).status).toBe(200);
    const why = ["why", "--as", "alice@example.com", "insert", "tasks"];
    expect((await rowhouse(why, stack.env)).stdout).toContain("alice@example.com");
    expect((await rowhouse(["start"], stack.env)).stderr).toContain("[home_in_use]");
    stack.process.kill("SIGCONT");
    expect(pids.filter(isRunning)).toEqual(pids);
    expect(await stack.end()).toBe(0);
  });

  test("whose state was cut short is not joined by a second set of servers", async () => {
    const stack = await startStack();
    const pids = stack.servers();
    writeFileSync(join(stack.home, "stack.json"), '{"pid":');
    for (const command of [["status"], ["token", "alice@example.com"], ["start"]]) {
      const { code, stderr } = await rowhouse(command, stack.env);
      expect(stderr).toContain("[home_in_use]");
      expect(stderr).toContain("stack.json cannot be read");
      expect(code).toBe(1);
    }
    expect(stack.servers()).toEqual(pids);
    await stack.serves();
  });
});

test("A start does not end another program that has got the id and the name of a server", async () => {
  const home = readyHome();
  const program = join(home, "postgrest");
  copyFileSync("/bin/sleep", program);
  const other = spawn(program, ["600"], { stdio: "ignore" });
  onTestFinished(() => void other.kill("SIGKILL"));
  const pid = other.pid ?? 0;
  const earlier = { pid, start: `${identify(pid).start}0` };
  const { dir } = openHome(home);
  const state = {
    pid,
    home: homeId({ dir }),
    socket: "alive-00000000.sock",
    startedAt: "2026-01-01T00:00:00.000Z",
  };
  const file = join(dir, "stack.json");
  writeFileSync(file, JSON.stringify({ ...state, servers: { postgrest: earlier } }));
  await startStack({ ROWHOUSE_HOME: home });
  expect(isRunning(pid)).toBe(true);
});

test("A start goes on where another program has got PostgreSQL's id since the machine crashed", async () => {
  const dbPort = String(await freePort());
  const stack = await startStack({ DB_PORT: dbPort });
  const locks = [
    join(stack.home, "data", "postmaster.pid"),
    join(stack.home, `.s.PGSQL.${dbPort}.lock`),
  ];
  const texts = locks.map((file) => readFileSync(file, "utf8"));
  await stack.end();
  const other = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void other.kill("SIGKILL"));
  await once(other, "spawn");
  for (const [index, file] of locks.entries()) {
    writeFileSync(file, `${texts[index]}`.replace(/^\d+/, String(other.pid)));
  }
  const again = await startStack(stack.env);
  expect((await fetch(again.url)).status).toBe(200);
  expect(isRunning(other.pid ?? 0)).toBe(true);
});

test("A start in a copy of a home whose stack runs ends none of its servers", async () => {
  const stack = await startStack();
  const servers = stack.servers();
  const copy = readyHome();
  copyFileSync(join(stack.home, "stack.json"), join(copy, "stack.json"));
  const { code, stderr } = await rowhouse(["start"], { ...stack.env, ROWHOUSE_HOME: copy });
  expect([code, stderr]).toEqual([1, expect.stringContaining("[port_in_use]")]);
  expect(stack.servers()).toEqual(servers);
});

test("A command that only reads ends no server that a killed stack left; a start does", async () => {
  const stack = await startStack();
  const [postgres, sh] = [stack.pid("postgres"), stack.pid("sh")];
  process.kill(sh, "SIGKILL");
  await stack.end("SIGKILL");
  onTestFinished(() => void (isRunning(postgres) && process.kill(postgres, "SIGKILL")));
  const { code, stderr } = await rowhouse(["status"], stack.env);
  expect(stderr).toContain(`[servers_left] postgres (process ${postgres})`);
  expect(code).toBe(1);
  expect(isRunning(postgres)).toBe(true);
  await startStack(stack.env);
  expect(isRunning(postgres)).toBe(false);
});

test("A start waits while PostgreSQL recovers, and says so", async () => {
  const home = readyHome();
  const gate = join(home, "gate");
  const data = join(home, "data");
  writeFileSync(join(data, "recovery.signal"), "");
  appendFileSync(
    join(data, "postgresql.auto.conf"),
    `restore_command = 'while [ ! -e "${gate}" ]; do sleep 0.05; done; false'\n`,
  );
  const stack = await launchStack({ ROWHOUSE_HOME: home });
  await stack.prints(/^PostgreSQL recovers the data in .*\/data, which can take minutes/m);
  writeFileSync(gate, "");
  await stack.prints(/^Rowhouse is ready: /m);
});

test("Of many that want a home at once, one gets it; also where its path is too long for a socket", async () => {
  const dir = join(newHome(), "a".repeat(100));
  const home = openHome(dir);
  const locks = await Promise.allSettled(
    Array.from({ length: 8 }, () => acquireLock(home, "wait")),
  );
  const got = locks.filter(({ status }) => status === "fulfilled");
  expect(got).toHaveLength(1);
  for (const one of locks) {
    if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "home_in_use" });
    else await one.value.release();
  }
  expect(readdirSync(dir)).toEqual([]);
});

describe("A home whose process was killed, and whose socket is still held for it,", () => {
  async function openHeldHome() {
    const home = openHome(newHome());
    const gone = spawn("true");
    await once(gone, "exit");
    const held = createServer((socket) => socket.end());
    const name = "alive-00000000.sock";
    held.listen(join(home.dir, name));
    await once(held, "listening");
    onTestFinished(() => void held.close());
    const startedAt = new Date().toISOString();
    const pid = gone.pid ?? 0;
    writeState(home, { pid, home: homeId(home), socket: name, startedAt, servers: {} });
    return { home, held, pid };
  }

  test("is free once the socket is let go of", async () => {
    const { home, held } = await openHeldHome();
    held.once("connection", () => held.close());
    const lock = await acquireLock(home, "wait");
    await lock.release();
  });

  test("is in use for as long as it is not", async () => {
    const { home, pid } = await openHeldHome();
    await expect(acquireLock(home, "wait")).rejects.toMatchObject({
      code: "home_in_use",
      message: expect.stringContaining(`process ${pid}`),
    });
  });
});

describe.each([
  { name: "PostgreSQL", program: "postgres" },
  { name: "PostgREST", program: "postgrest" },
])("when $name is killed", ({ name, program }) => {
  test("the stack restarts it, reports that, and serves", async () => {
    const stack = await startStack();
    process.kill(stack.pid(program), "SIGKILL");
    await stack.prints(new RegExp(`^${name} ended \\(signal SIGKILL\\): restarting it\\.$`, "m"));
    await stack.prints(new RegExp(`^${name} runs again\\.$`, "m"));
    await stack.serves();
  });

  test("again and again, the stack stops with the reason", async () => {
    const stack = await startStack();
    const pids = new Set<number>();
    for (let kill = 1; !stack.output().includes("keeps ending"); kill += 1) {
      for (const pid of Object.values(stack.servers())) pids.add(pid);
      process.kill(stack.pid(program), "SIGKILL");
      // Each kill ends it once; a restart that meets backends of the killed one, too.
      await stack.prints(new RegExp(`(${name} runs again[^]*){${kill}}|${name} keeps ending`));
    }
    await stack.prints(
      new RegExp(
        `${name} keeps ending, the last time with: (signal SIGKILL|${name} did not start)`,
      ),
    );
    expect(await stack.ended).toBe(1);
    expect(await areGone([...pids])).toBe(true);
  });
});

function readAdminPort(postgrest: number): number {
  const environment = readFileSync(`/proc/${postgrest}/environ`, "utf8").split("\0");
  const variable = environment.find((one) => one.startsWith("PGRST_ADMIN_SERVER_PORT="));
  return Number(variable?.split("=")[1]);
}

describe("when PostgREST does not answer any more", () => {
  test("the stack kills it and starts it again", async () => {
    const stack = await startStack();
    const postgrest = stack.pid("postgrest");
    process.kill(postgrest, "SIGSTOP");
    expect(await areGone([postgrest], 50_000)).toBe(true);
    await stack.prints(/^PostgREST does not answer any more: killing it\.$/m);
    await stack.prints(/^PostgREST runs again\.$/m);
    await stack.serves();
  });

  test("only because PostgreSQL does not, it is left alone", async () => {
    const stack = await startStack();
    const [postgres, postgrest] = [stack.pid("postgres"), stack.pid("postgrest")];
    process.kill(postgres, "SIGSTOP");
    const waiting = fetch(`${stack.url}/users`);
    for (let asked = 0; asked < 3; asked += 1) {
      const signal = AbortSignal.timeout(5000);
      await postgrestAnswers({ adminPort: readAdminPort(postgrest) }, signal);
    }
    process.kill(postgres, "SIGCONT");
    expect((await waiting).status).toBeLessThan(500);
  });
});
