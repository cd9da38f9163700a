import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { errorAnswer } from "../../src/testing/requests.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { askByHttp2, openConnection, readAnswer, sendBytes } from "./wire.ts";

const limit = 1024 * 1024;
let api: Postgrest;
let edge: Edge;
let alice: Caller;
let authorization: string;
beforeAll(async () => {
  api = await startPostgrest(await cloneDatabase());
  edge = await startEdge({ apis: [api.address] });
  alice = await signIn(edge);
  authorization = `Bearer ${sign(claimsFor(alice.id))}`;
});
afterAll(async () => {
  await edge.stop();
  await api.stop();
});

/** How many requests have reached PostgREST. */
async function arrived(): Promise<number> {
  const line = /^api,api1,.*$/m.exec(await edge.command("show stat"))?.[0] ?? "";
  return Number(line.split(",")[7]);
}

/** One task, as a JSON array of so many bytes. */
const padded = (length: number) => {
  const [start, end] = ['[{"title":"long"', "}]"];
  return start + " ".repeat(length - start.length - end.length) + end;
};

const head = (...headers: string[]) =>
  [
    "POST /tasks HTTP/1.1",
    "Host: edge",
    `Authorization: ${authorization}`,
    ...headers,
    "\r\n",
  ].join("\r\n");

test("A body of 1 MiB goes through, and one byte more is 413 and reaches nobody", async () => {
  const post = (length: number) => alice.ask("/tasks", { method: "POST", text: padded(length) });
  expect(await post(limit)).toMatchObject({ status: 201 });
  const before = await arrived();
  const refused = errorAnswer(413, "EDGE413", { details: "body_too_long" });
  expect(await post(limit + 1)).toMatchObject(refused);
  expect(await arrived()).toBe(before);
});

test("A body that claims to be large is refused before it is sent", async () => {
  const socket = openConnection(edge);
  socket.write(head("Content-Length: 99999999999", "Connection: close"));
  expect(await readAnswer(socket)).toMatchObject(errorAnswer(413, "EDGE413"));
});

test("A body without a length is 411, by HTTP/1.1 and HTTP/2", async () => {
  const before = await arrived();
  const chunked = head("Transfer-Encoding: chunked", "Connection: close");
  const refused = errorAnswer(411, "EDGE411", { details: "length_missing" });
  expect(await sendBytes(edge, `${chunked}2\r\n[]\r\n0\r\n\r\n`)).toMatchObject(refused);
  const request = { ":method": "POST", ":path": "/tasks", authorization };
  const byHttp2 = await askByHttp2(edge, request, ["[", "]"]);
  expect([byHttp2.status, JSON.parse(byHttp2.body).details]).toEqual([411, "length_missing"]);
  expect(await arrived()).toBe(before);
});

test("Two framings of one body are none that could be read twice", async () => {
  const both = head("Content-Length: 4", "Transfer-Encoding: chunked", "Connection: close");
  expect(await sendBytes(edge, `${both}2\r\n[]\r\n0\r\n\r\n`)).toMatchObject({ status: 411 });
});

test("A request without a body needs no length", async () => {
  const answer = await sendBytes(
    edge,
    `POST /rpc/me HTTP/1.1\r\nHost: edge\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
  );
  expect(answer).toMatchObject({ status: 200 });
  const byHttp2 = await askByHttp2(edge, { ":method": "POST", ":path": "/rpc/me", authorization });
  expect(byHttp2.status).toBe(200);
});

// These three wait for the 10 s of the edge, together.
test.concurrent("A body that stops in the middle is 408, and reaches nobody", async () => {
  const before = await arrived();
  const socket = openConnection(edge);
  socket.write(`${head("Content-Length: 100", "Connection: close")}[{"title":`);
  const answer = await readAnswer(socket);
  expect(answer).toMatchObject(errorAnswer(408, "EDGE408", { details: "request_slow" }));
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await arrived()).toBe(before);
});

test.concurrent("A large body that trickles is 408, too", async () => {
  const socket = openConnection(edge);
  const body = padded(limit);
  socket.write(head(`Content-Length: ${limit}`, "Connection: close") + body.slice(0, limit - 100));
  const answered = readAnswer(socket);
  for (let at = limit - 100; at < limit && !socket.readableEnded; at += 1) {
    socket.write(body[at] ?? "");
    await delay(500, undefined, { ref: false });
  }
  expect(await answered).toMatchObject(errorAnswer(408, "EDGE408"));
});

test.concurrent("Headers that trickle are 408, and the connection ends", async () => {
  const socket = openConnection(edge);
  const answered = readAnswer(socket);
  socket.write("GET /tasks HTTP/1.1\r\n");
  for (let turn = 0; turn < 100 && !socket.readableEnded; turn += 1) {
    socket.write(`X-${turn}: 1\r\n`);
    await delay(500, undefined, { ref: false });
  }
  // HAProxy's own text, before any rule.
  expect(await answered).toMatchObject({ status: 408 });
});

test("Many large bodies that do not arrive hold nobody up", async () => {
  const sockets = Array.from({ length: 400 }, () => openConnection(edge));
  const half = padded(limit).slice(0, limit / 4);
  const sent = sockets.map(
    (socket) =>
      new Promise((resolve) => socket.write(head(`Content-Length: ${limit}`) + half, resolve)),
  );
  await Promise.all(sent);
  // Until the 10 s are over, all of them are waited for.
  const [arrivedBefore, { status }] = [await arrived(), await alice.ask("/tasks")];
  expect([status, await arrived()]).toEqual([200, arrivedBefore + 1]);
  for (const socket of sockets) socket.destroy();
});
