import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A statement as PostgREST sends it: prepared, with its parameters. */
export interface Statement {
  readonly text: string;
  /** The types that PostgREST names for the parameters; 0 leaves one to PostgreSQL. */
  readonly types: readonly number[];
  /** The parameters, in PostgreSQL's text format. */
  readonly values: readonly (string | null)[];
}

/** A way to PostgreSQL that notes each statement that reads or writes a table. */
export interface Recorder {
  /** The URL of the same database, through the recorder. */
  readonly url: string;
  /** What was sent while an action ran. */
  readonly record: (action: () => Promise<unknown>) => Promise<Statement[]>;
  readonly stop: () => void;
}

/** Starts a recorder in front of a database's server; stop it when PostgREST has ended. */
export async function startRecorder(databaseUrl: string): Promise<Recorder> {
  const target = new URL(databaseUrl);
  let statements: Statement[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    join(client, upstream);
    const read = createReader((statement) => statements.push(statement));
    client.on("data", read);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    record: async (action) => {
      statements = [];
      await action();
      return statements;
    },
    stop: () => server.close(),
  };
}

function join(client: Socket, upstream: Socket): void {
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.pipe(other);
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

type Prepared = Pick<Statement, "text" | "types">;

/** Those that name a table of the API: the others begin a request, or read the schema. */
const isOfTable = ({ text }: Prepared) => /"api"\."/.test(text);

/** The code in the place of a version, where a client asks for TLS before it starts up. */
const tlsRequest = 80877103;

/** Reads the messages of one connection (manual, section 54.7), and passes each Bind on. */
function createReader(onStatement: (statement: Statement) => void): (chunk: Buffer) => void {
  const prepared = new Map<string, Prepared>();
  let buffer = Buffer.alloc(0);
  let started = false;
  const read = (type: string, body: Buffer) => {
    if (type === "") started = body.readInt32BE(0) !== tlsRequest;
    if (type === "P") readParse(body, prepared);
    if (type !== "B") return;
    const statement = readBind(body, prepared);
    if (statement !== undefined) onStatement(statement);
  };
  return (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      // The messages before the first answer have no type.
      const type = started ? buffer.toString("latin1", 0, 1) : "";
      if (buffer.length < type.length + 4) return;
      const end = type.length + buffer.readInt32BE(type.length);
      if (buffer.length < end) return;
      read(type, buffer.subarray(type.length + 4, end));
      buffer = buffer.subarray(end);
    }
  };
}

function readParse(body: Buffer, prepared: Map<string, Prepared>): void {
  const fields = createFields(body);
  const name = fields.text();
  const text = fields.text();
  const types = Array.from({ length: fields.int16() }, () => fields.int32());
  prepared.set(name, { text, types });
}

function readBind(body: Buffer, prepared: ReadonlyMap<string, Prepared>): Statement | undefined {
  const fields = createFields(body);
  fields.text(); // The portal.
  const parsed = prepared.get(fields.text());
  if (parsed === undefined || !isOfTable(parsed)) return undefined;
  const formats = Array.from({ length: fields.int16() }, () => fields.int16());
  const values = Array.from({ length: fields.int16() }, (_, at) => {
    const value = fields.bytes(fields.int32());
    const isBinary = (formats.length === 1 ? formats[0] : formats[at]) === 1;
    return value && (isBinary ? formatBinary(value, parsed.types[at] ?? 0) : value.toString());
  });
  return { ...parsed, values };
}

const typeOids = { bytea: 17, text: 25, json: 114, unknown: 705, jsonb: 3802 };

/** A value of one of the types that PostgREST sends in their binary format. */
function formatBinary(value: Buffer, type: number): string {
  if (type === typeOids.bytea) return `\\x${value.toString("hex")}`;
  if (type === typeOids.jsonb) return value.subarray(1).toString();
  if ([0, typeOids.text, typeOids.json, typeOids.unknown].includes(type)) return value.toString();
  throw new Error(`PostgREST sends a parameter of the type ${type} in its binary format.`);
}

function createFields(body: Buffer) {
  let at = 0;
  const take = (length: number) => {
    at += length;
    return body.subarray(at - length, at);
  };
  return {
    text: () => {
      const text = take(body.indexOf(0, at) - at).toString();
      at += 1;
      return text;
    },
    int16: () => take(2).readInt16BE(0),
    int32: () => take(4).readInt32BE(0),
    /** Null where the length is -1. */
    bytes: (length: number) => (length < 0 ? null : take(length)),
  };
}
