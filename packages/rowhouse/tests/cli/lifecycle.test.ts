import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { launchStack, startStack } from "../support/cli.ts";
import { areGone } from "../support/processes.ts";

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
    process.kill(stack.servers().sh ?? 0, "SIGKILL");
    await stack.end("SIGKILL");
    const again = await startStack(stack.env);
    expect(await areGone(pids)).toBe(true);
    expect((await fetch(again.url)).status).toBe(200);
  });

  test("that was killed before it recorded a server is cleaned up, too", async () => {
    const stack = await startStack();
    const pids = Object.values(stack.servers());
    process.kill(stack.servers().sh ?? 0, "SIGKILL");
    process.kill(stack.servers().postgrest ?? 0, "SIGKILL");
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
    expect(await stack.end("SIGINT")).toBe(1);
    expect(await areGone(pids)).toBe(true);
    await startStack(stack.env);
  });
});

describe.each([
  { name: "PostgreSQL", program: "postgres" },
  { name: "PostgREST", program: "postgrest" },
])("when $name is killed", ({ name, program }) => {
  test("the stack restarts it, reports that, and serves", async () => {
    const stack = await startStack();
    process.kill(stack.servers()[program] ?? 0, "SIGKILL");
    await stack.prints(new RegExp(`^${name} ended \\(signal SIGKILL\\): restarting it\\.$`, "m"));
    await stack.prints(new RegExp(`^${name} runs again\\.$`, "m"));
    await stack.serves();
  });

  test("again and again, the stack stops with the reason", async () => {
    const stack = await startStack();
    const pids = new Set<number>();
    for (let kill = 1; kill <= 5; kill += 1) {
      for (const pid of Object.values(stack.servers())) pids.add(pid);
      process.kill(stack.servers()[program] ?? 0, "SIGKILL");
      if (kill < 5) await stack.prints(new RegExp(`(${name} runs again[^]*){${kill}}`));
    }
    await stack.prints(new RegExp(`${name} keeps ending, the last time with: signal SIGKILL`));
    expect(await stack.ended).toBe(1);
    expect(await areGone([...pids])).toBe(true);
  });
});
