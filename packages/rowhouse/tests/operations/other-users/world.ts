import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { claimsFor, sign } from "../../../src/testing/api.ts";
import { type Backend, startBackend } from "../../../src/testing/backend.ts";
import { sharedTableSql } from "../../support/shared-table.ts";
import { people, rows } from "./people.ts";
import type { Asked } from "./requests.ts";

/** A stack, with or without the other user. */
export interface World {
  readonly backend: Backend;
  readonly agent: Agent;
}

/** Who asks in a run, and what a world calls the ids that its database made in it. */
export interface Session {
  readonly user: string;
  readonly names: ReadonlyMap<World, Map<string, string>>;
}

/** Starts a stack on a database of its own, with its statistics. */
export async function startWorld(sql: string): Promise<World> {
  const backend = await startBackend({ pool: 10 }, sharedTableSql("lists"));
  await backend.sql(rows.both + sql);
  await backend.sql("analyze");
  return { backend, agent: new Agent({ keepAlive: true, maxSockets: 16 }) };
}

/** The rows of the other user, as PostgreSQL writes them, with the transaction that wrote each. */
export async function readLedger({ backend }: World): Promise<string[]> {
  const tables = { users: "id", tasks: "user_id", lists_members: "user_id" };
  const parts = Object.entries(tables).map(
    ([table, column]) =>
      `select '${table} ' || xmin || ' ' || t::text as line from api.${table} as t where ${column} = '${people.other}'`,
  );
  const lists = `select 'lists ' || xmin || ' ' || t::text from api.lists as t
    where id in (select group_id from api.lists_members where user_id = '${people.other}')`;
  const found = await backend.sql(`${[...parts, lists].join(" union all ")} order by line`);
  return found.map(({ line }) => String(line));
}

/** The headers that may tell something. */
const telling = [
  "content-type",
  "content-range",
  "content-location",
  "location",
  "preference-applied",
  "www-authenticate",
];

/**
 * Sends a request.
 *
 * @returns Its answer, without what differs between two databases at any time: times, and ids that
 *   the database made, which have a name by the order in which they appear.
 */
export async function answerOf(world: World, session: Session, asked: Asked): Promise<string> {
  const ifMatch = asked.ifMatch && (await readVersion(world, session, asked.ifMatch));
  const headers = { ...asked.headers, ...(ifMatch ? { "if-match": ifMatch } : {}) };
  const answer = await send(world, session, { ...asked, headers });
  const headerText = telling.flatMap((name) => answer.headers[name] ?? []).join("\n");
  const text = nameIds(session.names.get(world) ?? new Map(), `${headerText}\n\n${answer.body}`);
  const [head, ...body] = text.replace(times, "<time>").split("\n\n");
  return `${answer.status}\n${head}\n\n${isOrdered(asked) ? body.join("\n\n") : sorted(body.join("\n\n"))}`;
}

const times = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:\d\d)?|Z)?/g;

/** Those that are made begin with the time, and not with zeros as all that are sent. */
const madeId = /(?!00000000)[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

function nameIds(names: Map<string, string>, text: string): string {
  return text.replace(madeId, (id) => {
    const name = names.get(id) ?? `<id ${names.size + 1}>`;
    names.set(id, name);
    return name;
  });
}

/** Without an order, rows come as the plan finds them (docs/security.md). */
function isOrdered({ method, query }: Asked): boolean {
  return method === "GET" && query.some(([name]) => name === "order");
}

function sorted(body: string): string {
  if (!body.startsWith("[")) return body;
  const rows: unknown[] = JSON.parse(body);
  return rows
    .map((row) => JSON.stringify(row))
    .sort()
    .join("\n");
}

async function readVersion(world: World, session: Session, id: string): Promise<string> {
  const query: Asked["query"] = [
    ["id", `eq.${id}`],
    ["select", "updated_at"],
  ];
  const { body } = await send(world, session, {
    as: "self",
    method: "GET",
    path: "/tasks",
    query,
    headers: {},
  });
  const [row]: { updated_at: string }[] = JSON.parse(body);
  return row?.updated_at ?? "2001-01-01";
}

/** An answer, read whole. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function send({ backend, agent }: World, { user }: Session, asked: Asked): Promise<Answer> {
  const asUser = (text: string) => text.replaceAll("{self}", user);
  const query = new URLSearchParams(
    asked.query.map(([name, value]): [string, string] => [name, asUser(value)]),
  );
  const body = asked.body === undefined ? undefined : asUser(asked.body);
  const headers = {
    ...authorization(asked.as, user),
    ...asked.headers,
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const options = { agent, method: asked.method, headers };
    const sent = request(`${backend.url}${asked.path}?${query}`, options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject).on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(parts).toString() });
      });
    });
    sent.on("error", reject).end(body);
  });
}

const tokens = new Map<string, string>();

function authorization(as: Asked["as"], user: string): Record<string, string> {
  if (as === "anonymous") return {};
  const id = as === "reader" ? people.reader : user;
  const token =
    tokens.get(id) ?? sign({ ...claimsFor(id), exp: Math.floor(Date.now() / 1000) + 7200 });
  tokens.set(id, token);
  return { authorization: `Bearer ${as === "forged" ? `${token}x` : token}` };
}
