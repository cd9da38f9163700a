import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import { buffer } from "node:stream/consumers";
import { loopback } from "../stack/ports.ts";

/** A request as it came to the proxy. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer of the server behind the proxy, read whole. */
interface Upstream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request under way. */
interface Exchange {
  readonly seen: Seen;
  readonly response: ServerResponse;
  /** Sends the request to the server behind the proxy. */
  readonly forward: () => Promise<Upstream>;
}

/** What becomes of a request. */
export type Fault = (exchange: Exchange) => unknown;

/** The server does its work; its answer is lost. */
export const cut: Fault = async ({ forward, response }) => {
  await forward();
  response.destroy();
};

/** The connection breaks before the server hears of the request. */
export const reset: Fault = ({ response }) => response.destroy();

/** No answer ever comes, and the server hears nothing. */
export const hold: Fault = () => {};

/** The server's answer ends in the middle. */
export const truncate: Fault = async ({ forward, response }) => {
  const { status, headers, body } = await forward();
  response.writeHead(status, { ...headers, "content-length": body.length });
  response.write(body.subarray(0, body.length / 2), () => response.destroy());
};

/** An answer of the proxy's own; the server hears nothing. */
export function answer(
  status: number,
  { headers = {}, body = "" }: { headers?: Record<string, string>; body?: unknown } = {},
): Fault {
  return ({ response }) => {
    response.writeHead(status, headers);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

/** Something happens first; then the request goes its way. */
export function first(action: () => unknown): Fault {
  return async (exchange) => {
    await action();
    await pass(exchange);
  };
}

/** The answer comes without a header. */
export function without(header: string): Fault {
  return (exchange) => pass(exchange, header);
}

/** No fault: the request goes its way. */
const pass = async ({ forward, response }: Exchange, dropped?: string): Promise<void> => {
  const { status, headers, body } = await forward();
  const kept = Object.entries(headers).filter(([name]) => name !== dropped);
  response.writeHead(status, Object.fromEntries(kept));
  response.end(body);
};

/** A proxy that makes faults, in front of a real server. */
export interface FaultProxy {
  readonly url: string;
  /** Every request so far. */
  readonly requests: readonly Seen[];
  /** The next requests meet these, one each, in this order. */
  readonly next: (...faults: Fault[]) => void;
  /** Every request meets this from now on, once those of `next` are used up. */
  readonly always: (fault: Fault) => void;
  readonly stop: () => Promise<void>;
}

/** Starts a proxy in front of a server; without faults it passes everything on. */
export async function startProxy(upstream: string): Promise<FaultProxy> {
  const requests: Seen[] = [];
  const queue: Fault[] = [];
  let usual: Fault = (exchange) => pass(exchange);
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? "/", upstream);
    const seen: Seen = {
      method: incoming.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: await buffer(incoming),
    };
    requests.push(seen);
    const forward = () => send(new URL(incoming.url ?? "/", upstream), seen);
    await (queue.shift() ?? usual)({ seen, response, forward });
  });
  server.listen(0, loopback);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://${loopback}:${port}`,
    requests,
    next: (...faults) => queue.push(...faults),
    always: (fault) => {
      usual = fault;
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function send(url: URL, { method, headers, body }: Seen): Promise<Upstream> {
  const outgoing = request(url, { method, headers });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  const { connection, "transfer-encoding": encoding, ...kept } = incoming.headers;
  return { status: incoming.statusCode ?? 0, headers: kept, body: await buffer(incoming) };
}
