import { expect, test } from "vitest";
import { type RunningStack, rowhouse, startStack } from "../support/cli.ts";
import { areGone } from "../support/processes.ts";

/** What matters here of a task. */
interface Task {
  readonly title: string;
}

/** A user's way to the API of a stack. */
type Ask = (path: string, init?: RequestInit) => Promise<Response>;

async function signIn({ env }: RunningStack, email: string): Promise<(stack: RunningStack) => Ask> {
  const token = (await rowhouse(["token", email], env)).stdout.trim();
  return ({ url }) =>
    (path, init) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      });
}

async function read(ask: Ask, path: string): Promise<Task[]> {
  const answer: unknown = await (await ask(path)).json();
  return answer as Task[];
}

async function create(ask: Ask, title: string): Promise<number> {
  return (await ask("/tasks", { method: "POST", body: JSON.stringify({ title }) })).status;
}

test("two users find all their rows again after a restart, and only theirs", async () => {
  const stack = await startStack();
  const [alice, bob] = [await signIn(stack, "alice@x.org"), await signIn(stack, "bob@x.org")];
  for (const title of ["water the plants", "call Bob"]) await create(alice(stack), title);
  await create(bob(stack), "call Alice");
  const readBoth = (at: RunningStack) =>
    Promise.all([alice, bob].map((who) => read(who(at), "/tasks?order=id")));

  const before = await readBoth(stack);
  expect(before.map((tasks) => tasks.length)).toEqual([2, 1]);
  await stack.end();
  expect(await readBoth(await startStack(stack.env))).toEqual(before);
});

test("every acknowledged row is there, once, after kill -9 of the whole stack while writing", async () => {
  const stack = await startStack();
  const alice = await signIn(stack, "alice@x.org");
  const acknowledged: string[] = [];
  let killed = false;

  const write = async (writer: number) => {
    for (let row = 0; !killed; row += 1) {
      const title = `row ${row} of writer ${writer}`;
      try {
        if ((await create(alice(stack), title)) === 201) acknowledged.push(title);
      } catch {
        return; // The stack is gone: what was being written was never acknowledged.
      }
    }
  };
  const killAmidWrites = async () => {
    while (acknowledged.length < 200) await new Promise(setImmediate);
    stack.process.kill("SIGSTOP"); // So that it starts none of them again.
    const pids = [...Object.values(stack.servers()), stack.process.pid ?? Number.NaN];
    for (const pid of pids) process.kill(pid, "SIGKILL");
    killed = true;
    await areGone(pids);
  };
  await Promise.all([killAmidWrites(), write(1), write(2), write(3), write(4)]);

  const again = await startStack(stack.env);
  const titles = (await read(alice(again), "/tasks")).map(({ title }) => title);
  expect(acknowledged.length).toBeGreaterThanOrEqual(200);
  expect(titles).toEqual(expect.arrayContaining(acknowledged));
  expect(new Set(titles).size).toBe(titles.length);
});
