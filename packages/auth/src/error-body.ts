import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Gives an answer its code where Better Auth's error has none: a path that is unknown, a field of another type. */
export async function withCode(answered: Response): Promise<Response> {
  const { status } = answered;
  if (status < 400) return answered;
  const body = parse(await answered.clone().text());
  if (typeof body.code === "string") return answered;
  const code = status === 404 ? "NOT_FOUND" : "INVALID_REQUEST";
  const message = body.message ?? (status === 404 ? "There is nothing here." : "It is malformed.");
  const headers = new Headers(answered.headers);
  headers.delete("content-length");
  headers.set("content-type", "application/json");
  return new Response(JSON.stringify({ ...body, code, message }), { status, headers });
}

function parse(text: string): { code?: unknown; message?: unknown } {
  try {
    return { ...JSON.parse(text) };
  } catch {
    return {};
  }
}

/** What Node refuses before it is a request, such as an address with bytes beyond ASCII, gets a code, too. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const statuses: Record<string, number> = {
    HPE_HEADER_OVERFLOW: 431,
    ERR_HTTP_REQUEST_TIMEOUT: 408,
  };
  const status = statuses[error.code ?? ""] ?? 400;
  const body = JSON.stringify({ code: "INVALID_REQUEST", message: "The request is malformed." });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
