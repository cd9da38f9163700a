import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { errorAnswer } from "../../src/testing/requests.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { openConnection } from "./wire.ts";

let api: Postgrest;
beforeAll(async () => {
  api = await startPostgrest(await cloneDatabase());
});
afterAll(() => api.stop());

async function limitedEdge(variables: Record<string, string>): Promise<Edge> {
  const edge = await startEdge({ apis: [api.address], variables });
  onTestFinished(() => edge.stop());
  return edge;
}

/** The statuses of so many answers, one after the other. */
async function ask(count: number, once: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  for (let turn = 0; turn < count; turn += 1) statuses.push((await once()).status);
  return statuses;
}

const tooMany = (details: string) => errorAnswer(429, "EDGE429", { details });

test("An address that asks too often is 429, with the time to wait, whoever it says it is", async () => {
  const edge = await limitedEdge({ EDGE_ADDRESS_RATE: "20" });
  const anonymous = caller(edge);
  const forged = { headers: { "x-forwarded-for": "203.0.113.9" } };
  expect(await ask(20, () => anonymous.ask("/tasks"))).toEqual(Array(20).fill(401));
  for (const asked of [
    anonymous.ask("/tasks"),
    anonymous.ask("/tasks", forged),
    (await signInAt(api)).behind(edge).ask("/tasks"),
    anonymous.ask("/tasks", { method: "OPTIONS" }),
  ]) {
    const answer = await asked;
    expect(answer).toMatchObject(tooMany("address_limit"));
    expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  }
});

test("Behind a trusted proxy each client counts by its own address, and forges none", async () => {
  const edge = await limitedEdge({
    EDGE_ADDRESS_RATE: "5",
    EDGE_ADDRESS_CONNECTIONS: "2",
    EDGE_TRUSTED_PROXIES: "127.0.0.1/32 198.51.100.0/24",
  });
  const anonymous = caller(edge);
  const named = (forwarded: string) =>
    anonymous.ask("/tasks", { headers: { "x-forwarded-for": forwarded } });
  // Its own claims come before what the proxy writes.
  expect(await ask(5, () => named("203.0.113.1"))).toEqual(Array(5).fill(401));
  for (const list of ["203.0.113.1", "203.0.113.2, 203.0.113.1"]) {
    expect(await named(list)).toMatchObject(tooMany("address_limit"));
  }
  expect((await named("203.0.113.2")).status).toBe(401);
  // Of IPv6 one customer has the last 64 bits, and more.
  for (const last of ["1", "2", "3", "4", "ffff:ffff:ffff:ffff"]) {
    expect((await named(`2001:db8:1:1::${last}`.replace("::f", ":f"))).status).toBe(401);
  }
  expect(await named("2001:db8:1:1::6")).toMatchObject(tooMany("address_limit"));
  expect((await named("2001:db8:1:2::1")).status).toBe(401);
  // A second proxy, behind the first.
  expect(await named("203.0.113.1, 198.51.100.7")).toMatchObject(tooMany("address_limit"));
  await expect.poll(edge.log).toMatch(/^203\.0\.113\.2 GET/m);
  // Many connections of the proxy are of nobody; many requests under way of one client are.
  const sockets = Array.from({ length: 12 }, () => openConnection(edge));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  expect((await named("203.0.113.3")).status).toBe(401);
});

test("An address with too many connections is 429", async () => {
  const edge = await limitedEdge({ EDGE_ADDRESS_CONNECTIONS: "5" });
  const sockets = Array.from({ length: 6 }, () => openConnection(edge));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await expect
    .poll(async () => (await caller(edge).ask("/tasks")).body)
    .toMatchObject({ details: "address_limit" });
});

test("A user who asks too often is 429, and another user of the address is not", async () => {
  const edge = await limitedEdge({ EDGE_USER_RATE: "10" });
  const [alice, bob] = [(await signInAt(api)).behind(edge), (await signInAt(api)).behind(edge)];
  expect(await ask(11, () => alice.ask("/tasks"))).toEqual(Array(11).fill(200));
  const answer = await alice.ask("/tasks");
  expect(answer).toMatchObject(tooMany("user_limit"));
  expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  expect(await bob.ask("/tasks")).toMatchObject({ status: 200 });
});

test("A user counts however the header is written that holds the token", async () => {
  const edge = await limitedEdge({ EDGE_USER_RATE: "4" });
  const { id } = await signInAt(api);
  const asked = (scheme: string) =>
    caller(edge).ask("/tasks", {
      headers: { authorization: `${scheme}${sign(claimsFor(id))}` },
    });
  for (const scheme of ["Bearer\t", "bearer ", "BEARER \t ", "Bearer\t\t", "Bearer  "]) {
    expect(await asked(scheme)).toMatchObject({ status: 200 });
  }
  for (const scheme of ["Bearer ", "Bearer\t"]) {
    expect(await asked(scheme)).toMatchObject(tooMany("user_limit"));
  }
});

test("Forged tokens use up nothing of whom they name", async () => {
  const edge = await limitedEdge({ EDGE_USER_RATE: "10" });
  const alice = (await signInAt(api)).behind(edge);
  const forged = caller(edge, sign(claimsFor(alice.id), "another-secret-that-is-long-enough!"));
  expect(await ask(30, () => forged.ask("/tasks"))).toEqual(Array(30).fill(401));
  expect(await alice.ask("/tasks")).toMatchObject({ status: 200 });
});

/** A user who was made past the edges, so that none has counted them yet. */
async function signInAt({ address }: Postgrest) {
  const { id } = await signIn({ url: `http://${address}:3000` });
  return { id, behind: (edge: Edge) => caller(edge, sign(claimsFor(id)), id) };
}
