import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A name server in which one name stands for the addresses that a test wants. */
export interface Names {
  /** "127.0.0.1:5353" */
  readonly address: string;
  /** From now on these are the addresses of a name. */
  readonly set: (name: string, addresses: readonly string[]) => void;
  readonly stop: () => void;
}

/** Starts one (RFC 1035): it answers A and knows nothing else, as Docker's does of its services. */
export async function startNames(host: string): Promise<Names> {
  const known = new Map<string, readonly string[]>();
  const socket = createSocket("udp4");
  socket.on("message", (query, { address, port }) => {
    const end = query.indexOf(0, 12) + 5; // The question: its name, a zero, its type and class.
    const addresses = known.get(readName(query)) ?? [];
    const isA = query.readUInt16BE(end - 4) === 1;
    socket.send(answer(query.subarray(0, end), isA ? addresses : [], known), port, address);
  });
  socket.bind(0, host);
  await once(socket, "listening");
  return {
    address: `${host}:${socket.address().port}`,
    set: (name, addresses) => void known.set(name, addresses),
    stop: () => void socket.close(),
  };
}

function readName(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at]; at += 1 + (query[at] ?? 0)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + (query[at] ?? 0)));
  }
  return labels.join(".");
}

function answer(
  question: Buffer,
  addresses: readonly string[],
  known: ReadonlyMap<string, unknown>,
): Buffer {
  const head = Buffer.from(question);
  const nameMissing = known.has(readName(question)) ? 0 : 3;
  head.writeUInt16BE(0x8180 | nameMissing, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  // The name of the question, type A, class IN, 1 s, four bytes.
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4];
  const records = addresses.map((address) => [...record, ...address.split(".").map(Number)]);
  return Buffer.concat([head, Buffer.from(records.flat())]);
}
