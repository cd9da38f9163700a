import { readFileSync } from "node:fs";
import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { buffer, text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { inject } from "vitest";
import type { Answer } from "../../src/testing/api.ts";
import type { Edge } from "./edge.ts";

/** Opens a connection; the caller writes what it likes. */
export function openConnection({ host }: Pick<Edge, "host">): TLSSocket {
  const socket = connectTls({ host, port: 8443, ca: readFileSync(inject("certificate")) });
  socket.on("error", () => {}); // What ends a connection early shows in what was read of it.
  return socket;
}

/** Sends bytes as they are, which no client would; resolves with the answer when the edge closes. */
export async function sendBytes(
  edge: Pick<Edge, "host">,
  bytes: string | Buffer,
): Promise<Answer & { readonly raw: string }> {
  const socket = openConnection(edge);
  socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  return readAnswer(socket);
}

/** The first answer on a connection, once the edge has closed it. */
export async function readAnswer(socket: TLSSocket): Promise<Answer & { readonly raw: string }> {
  const raw = (await buffer(socket)).toString("utf8");
  const [head = "", sent = ""] = raw.split(/\r\n\r\n(.*)/s);
  const [status = "", ...lines] = head.split("\r\n");
  const headers = new Headers(
    lines.map((line): [string, string] => [line.replace(/:.*/, ""), line.replace(/^[^:]*: */, "")]),
  );
  const body = headers.has("transfer-encoding") ? joinChunks(sent) : sent;
  const isJson = headers.get("content-type")?.includes("json") ?? false;
  return {
    status: Number(status.split(" ")[1]),
    headers,
    body: isJson && body !== "" ? JSON.parse(body) : body,
    raw,
  };
}

/** The text that came in chunks (RFC 9112, section 7.1), as long as all of it is ASCII. */
function joinChunks(sent: string): string {
  const [, length = "0", rest = ""] = /^([0-9a-f]+)\r\n(.*)$/is.exec(sent) ?? [];
  const size = Number.parseInt(length, 16);
  return size === 0 ? "" : rest.slice(0, size) + joinChunks(rest.slice(size + 2));
}

/** Sends one request by HTTP/2; a body in several pieces has no length. */
export async function askByHttp2(
  edge: Pick<Edge, "url">,
  headers: OutgoingHttpHeaders,
  pieces: readonly string[] = [],
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const session = connectHttp2(edge.url, { ca: readFileSync(inject("certificate")) });
  try {
    const stream = session.request(headers, { endStream: pieces.length === 0 });
    for (const piece of pieces) stream.write(piece);
    if (pieces.length > 0) stream.end();
    const answered = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
    });
    return {
      status: Number(answered[":status"]),
      headers: answered,
      body: await text(stream),
    };
  } finally {
    session.close();
  }
}
