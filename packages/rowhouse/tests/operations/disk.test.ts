import { randomBytes } from "node:crypto";
import { appendFileSync, cpSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { freePort } from "../../src/stack/ports.ts";
import { newHome, type RunningStack, rowhouse, startStack } from "../support/cli.ts";
import { fillDisk, mayMount, smallDisk } from "../support/disk.ts";

/** A home with a migrated database, on a disk of its own. */
function homeOnSmallDisk(): string {
  const home = newHome();
  smallDisk(home, "100m");
  cpSync(inject("home"), home, { recursive: true });
  return home;
}

/** Starts a stack that is to fail. */
async function start(home: string) {
  return rowhouse(["start"], { ROWHOUSE_HOME: home, API_PORT: String(await freePort()) });
}

async function signIn({ env, url }: RunningStack) {
  const token = (await rowhouse(["token", "alice@example.com"], env)).stdout.trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return (path: string, body?: unknown) =>
    fetch(`${url}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
}

/** More than the pages of a table have room for, and nothing that can be compressed. */
const large = Array.from({ length: 100 }, () => ({
  title: "large",
  description: randomBytes(4500).toString("hex"),
}));

/** Fills the last page of a file, so that whatever is appended needs a new one. */
function fillPage(file: string): void {
  appendFileSync(file, "\n".repeat(4096 - (statSync(file).size % 4096)));
}

describe.runIf(mayMount())("on a disk that is full", () => {
  test("writes are refused with 53100, reads go on, and with room there are writes again", async () => {
    const stack = await startStack({ ROWHOUSE_HOME: homeOnSmallDisk() });
    const ask = await signIn(stack);
    expect((await ask("/tasks", { title: "before" })).status).toBe(201);
    fillPage(join(stack.home, "postgrest.log")); // PostgREST has no room to log the refusal either.
    const makeRoom = fillDisk(stack.home);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const refused = await ask("/tasks", large);
      expect(refused.status).toBe(503);
      expect(await refused.json()).toMatchObject({ code: "53100" });
      const read = await ask("/tasks?select=title");
      expect(await read.json()).toEqual([{ title: "before" }]);
    }
    makeRoom();
    expect((await ask("/tasks", large)).status).toBe(201);
    expect(stack.output()).not.toContain("restarting");
  });

  test("a server that is killed is started again", async () => {
    const stack = await startStack({ ROWHOUSE_HOME: homeOnSmallDisk() });
    const ask = await signIn(stack);
    fillPage(join(stack.home, "postgrest.log"));
    const makeRoom = fillDisk(stack.home);
    process.kill(stack.pid("postgrest"), "SIGKILL");
    await stack.prints(/^PostgREST runs again\.$/m);
    expect((await ask("/tasks")).status).toBe(200);
    makeRoom();
    expect(await stack.end()).toBe(0);
  });

  test("a first start says so, and leaves no half of a database", async () => {
    const home = newHome();
    smallDisk(home, "8m");
    const { code, stderr } = await start(home);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error \[postgres_failed\].*No space left on device.*Check the space/s);
    expect(existsSync(join(home, "data.new"))).toBe(false);
  });

  test("a start on data that is there says so, and works when there is room", async () => {
    const home = homeOnSmallDisk();
    const makeRoom = fillDisk(home);
    const { code, stderr } = await start(home);
    expect(stderr).toMatch(/^error \[disk_full\] The disk is full: ENOSPC.*\nMake room/);
    expect(code).toBe(1);
    makeRoom();
    await startStack({ ROWHOUSE_HOME: home });
  });
});
