import { connect, type Socket } from "node:net";
import type { HttpRequest } from "./dialects.ts";

/** A connection that is kept, and sends one request at a time. */
interface Connection {
  /** Resolves with the status when the response is complete. */
  readonly send: (request: string) => Promise<number>;
  readonly close: () => void;
}

/** What a load came to. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p99Ms: number;
  readonly failures: number;
}

/** Writes a request as it goes over the wire. */
export function formatRequest(host: string, token: string, request: HttpRequest): string {
  const { method, path, headers = {}, body = "" } = request;
  const length = method === "GET" ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const all = { Host: host, Authorization: `Bearer ${token}`, ...headers, ...length };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/**
 * Sends calls one after the other from each of several callers, for some seconds or until there is no
 * next one.
 *
 * @param send Resolves with whether it went well.
 */
export async function runLoad(
  send: (caller: number, at: number) => Promise<boolean> | undefined,
  { callers, seconds, signal }: { callers: number; seconds: number; signal: AbortSignal },
): Promise<Load> {
  const times: number[] = [];
  let at = 0;
  let failures = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const loop = async (caller: number) => {
    while (performance.now() < end && !signal.aborted) {
      const from = performance.now();
      const sent = send(caller, at++);
      if (sent === undefined) return;
      if (!(await sent)) failures += 1;
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)));
  signal.throwIfAborted();
  times.sort((a, b) => a - b);
  return {
    requests: times.length,
    seconds: (performance.now() - start) / 1000,
    p99Ms: times[Math.ceil(0.99 * times.length) - 1] ?? 0,
    failures,
  };
}

/**
 * Opens a connection that costs as little as it can: the load shares the cores with what it measures.
 * It reads where a response ends, and no body.
 */
export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;
  let response = newResponse();
  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("The server has closed the connection.")));
  socket.on("data", (chunk) => {
    response = addChunk(response, chunk);
    if (!response.complete) return;
    const { status } = response;
    response = newResponse();
    waiting?.resolve(status);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** A response that arrives. */
interface Response {
  /** What has come of the headers; empty once they are complete. */
  readonly head: Buffer;
  readonly status: number;
  /** The bytes of the body that are still to come; undefined where it is sent in chunks. */
  readonly left: number | undefined;
  readonly complete: boolean;
}

const newResponse = (): Response => ({
  head: Buffer.alloc(0),
  status: 0,
  left: undefined,
  complete: false,
});

const lastChunk = "0\r\n\r\n";

/** The response with the next bytes. */
export function addChunk(response: Response, chunk: Buffer): Response {
  if (response.status !== 0) return addBody(response, chunk);
  const head = response.head.length === 0 ? chunk : Buffer.concat([response.head, chunk]);
  const end = head.indexOf("\r\n\r\n");
  if (end < 0) return { ...response, head };
  const text = head.toString("latin1", 0, end).toLowerCase();
  const status = Number(text.slice(9, 12));
  const length = /\ncontent-length: *(\d+)/.exec(text)?.[1];
  const chunked = /\ntransfer-encoding: *chunked/.test(text);
  const left = chunked ? undefined : Number(length ?? 0);
  return addBody({ head: Buffer.alloc(0), status, left, complete: false }, head.subarray(end + 4));
}

function addBody(response: Response, chunk: Buffer): Response {
  if (response.left !== undefined) {
    const left = response.left - chunk.length;
    return { ...response, left, complete: left <= 0 };
  }
  // The end of the chunks may be cut in two. JSON holds no bare line break, so it is no part of a body.
  const tail = Buffer.concat([response.head, chunk]).subarray(-lastChunk.length);
  return { ...response, head: tail, complete: tail.toString("latin1") === lastChunk };
}
