import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type Caller, caller, claimsFor, sign } from "../../src/testing/api.ts";

/**
 * Two users and one API, over HTTP alone.
 *
 *   two-users.ts job <file>    the whole job; leaves one task, and notes in the file whose
 *   two-users.ts kept <file>   the task that the job left is still there
 *
 * API_URL and JWT_SECRET name the API. Prints a line for each check; fails when one failed.
 */
interface Kept {
  readonly alice: string;
  readonly bob: string;
  readonly task: string;
}

const { API_URL: url = "", JWT_SECRET: secret = "" } = process.env;
const [phase, file = ""] = process.argv.slice(2);
const taskOf = (id: string) => `/tasks?id=eq.${id}`;
const represent = { prefer: "return=representation" };

if (phase === "job") await job();
else if (phase === "kept") await kept();
else throw new Error("usage: two-users.ts job|kept <file>");

async function job(): Promise<void> {
  const alice = user(randomUUID());
  const bob = user(randomUUID());
  await bothSignIn(alice, bob);
  const { task, other } = await aliceWorks(alice);
  await bobIsKeptOut(bob, alice, task);
  await nobodyIsRefused(task);
  await badTokensAreRefused(alice.id);
  check("alice deletes a task", (await alice.ask(taskOf(other), { method: "DELETE" })).status, 204);
  check("and it is gone", (await alice.ask(taskOf(other))).body, []);
  const notes: Kept = { alice: alice.id, bob: bob.id, task };
  writeFileSync(file, JSON.stringify(notes));
}

async function kept(): Promise<void> {
  const notes: Kept = JSON.parse(readFileSync(file, "utf8"));
  const mine = await user(notes.alice).ask("/tasks?select=id,title,completed");
  check("alice's task is still there, as she left it", mine.body, [
    { id: notes.task, title: "water the plants", completed: true },
  ]);
  check("bob still sees none", (await user(notes.bob).ask("/tasks")).body, []);
}

async function bothSignIn(alice: Caller, bob: Caller): Promise<void> {
  for (const [name, who] of Object.entries({ alice, bob })) {
    const me = await who.ask("/rpc/me", { method: "POST" });
    check(
      `${name} signs in and is made`,
      [me.status, (me.body as { id?: string }).id],
      [200, who.id],
    );
  }
}

async function aliceWorks(alice: Caller): Promise<{ task: string; other: string }> {
  const task = await create(alice, "water the plant");
  const other = await create(alice, "throw away");
  const list = await alice.ask("/tasks?select=id&order=id");
  check("alice lists her tasks", list.body, [{ id: task }, { id: other }]);
  const one = await alice.ask(`${taskOf(task)}&select=title,user_id`);
  check("alice reads one", one.body, [{ title: "water the plant", user_id: alice.id }]);
  const changed = await alice.ask(`${taskOf(task)}&select=title,completed`, {
    method: "PATCH",
    headers: represent,
    body: { title: "water the plants", completed: true },
  });
  check("alice changes it", changed.body, [{ title: "water the plants", completed: true }]);
  return { task, other };
}

async function create(who: Caller, title: string): Promise<string> {
  const created = await who.ask("/tasks", { method: "POST", headers: represent, body: { title } });
  check(`alice creates "${title}"`, created.status, 201);
  return (created.body as { id?: string }[])[0]?.id ?? "none";
}

/** What bob gets for alice's task must not differ from what he gets for one that is not there. */
async function bobIsKeptOut(bob: Caller, alice: Caller, hidden: string): Promise<void> {
  const absent = `${hidden.slice(0, -12)}000000000000`;
  const attempts = {
    read: {},
    change: { method: "PATCH", headers: represent, body: { title: "bob was here" } },
    delete: { method: "DELETE", headers: represent },
  };
  for (const [verb, attempt] of Object.entries(attempts)) {
    const { status, body } = await bob.ask(taskOf(hidden), attempt);
    check(`bob cannot ${verb} alice's task`, [status, body], [200, []]);
    const nothing = await bob.ask(taskOf(absent), attempt);
    check(
      `and to ${verb} one that is not there answers the same`,
      [status, body],
      [nothing.status, nothing.body],
    );
  }
  const gift = { title: "for alice", user_id: alice.id };
  const given = await bob.ask("/tasks", { method: "POST", body: gift });
  check("bob cannot create a task for alice", given.status, 403);
  const after = await alice.ask(`${taskOf(hidden)}&select=title`);
  check("alice's task is untouched", after.body, [{ title: "water the plants" }]);
}

async function nobodyIsRefused(task: string): Promise<void> {
  const nobody = caller({ url });
  check("anonymous cannot list tasks", (await nobody.ask("/tasks")).status, 401);
  check("anonymous cannot read one", (await nobody.ask(taskOf(task))).status, 401);
  check("anonymous cannot sign in", (await nobody.ask("/rpc/me", { method: "POST" })).status, 401);
}

/** PostgREST and the pre-request check know the secret, aud and iss, and check them. */
async function badTokensAreRefused(id: string): Promise<void> {
  const { exp: _, ...endless } = claimsFor(id);
  const bad = {
    "signed with another secret": sign(claimsFor(id), "another-secret-that-is-long-enough!"),
    "for another audience": sign({ ...claimsFor(id), aud: "elsewhere" }, secret),
    "from another issuer": sign({ ...claimsFor(id), iss: "elsewhere" }, secret),
    "without an end": sign(endless, secret),
  };
  for (const [fault, token] of Object.entries(bad)) {
    const { status } = await caller({ url }, token).ask("/tasks");
    check(`a token ${fault} is refused`, status, 401);
  }
}

function user(id: string): Caller {
  return caller({ url }, sign(claimsFor(id), secret), id);
}

function check(sentence: string, found: unknown, wanted: unknown): void {
  const [is, shouldBe] = [JSON.stringify(found), JSON.stringify(wanted)];
  const holds = is === shouldBe;
  process.stdout.write(`${holds ? "ok" : "not ok"} - ${sentence}\n`);
  if (holds) return;
  process.stderr.write(`  is ${is}\n  should be ${shouldBe}\n`);
  process.exitCode = 1;
}
