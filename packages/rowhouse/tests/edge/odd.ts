import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { newSeed, randomly } from "../../src/testing/random.ts";
import type { Edge } from "./edge.ts";

/** A request that no client of ours sends. */
export interface Odd {
  readonly method: string;
  /** Bytes, one a character. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
  /** The address of this machine that it comes from. */
  readonly from?: string;
}

/** Makes what odd requests consist of, the same for the same seed. */
export function oddParts(seed: number) {
  const random = randomly(seed);
  const below = (count: number) => Math.floor(random() * count);
  const one = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const some = <T>(most: number, make: () => T) => Array.from({ length: below(most + 1) }, make);

  const texts = [
    () =>
      one(["", "a", "null", "true", "eq.", "in.()", "is.null", "..", "*", "'", '"', "\\", ";--"]),
    () => one(["\0", "\ud800", "\uffff", "é", "😀", "\u202e", "\r\n", "\t", "\x7f"]),
    () => one(["1e999999999", "-0", "9".repeat(400), "NaN", "Infinity", "0x10", "1e-400"]),
    () => String.fromCharCode(...some(8, () => below(0x250))),
    () => "(".repeat(below(200)),
    () => "x".repeat(below(4000)),
  ];
  const anyText = () => one(texts)();
  const wellFormed = (value: string) => Buffer.from(value).toString();
  const encode = (value: string) =>
    one([
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value)),
      () =>
        Buffer.from(value)
          .toString("latin1")
          .replace(/[\s#\0-\x20\x7f]/g, "%20"),
      () => `%${below(256).toString(16).padStart(2, "0")}`,
      () => `%${one(["", "2", "zz", "u0041"])}`,
    ])();
  const headerText = () =>
    one([() => anyText(), () => String.fromCharCode(...some(6, () => 1 + below(255)))])().replace(
      // What Node sends at all: requests.test.ts has the rest.
      /[^\t\x20-\x7e\x80-\xff]/g,
      "",
    );
  return { random, below, one, some, anyText, encode, headerText };
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

interface OddAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Sends it; fails when no answer comes within 8 s. */
function send(edge: Edge, { method, path, headers, body, from }: Odd) {
  return new Promise<OddAnswer>((resolve, reject) => {
    const outgoing = request(
      edge.url,
      {
        method,
        ...(from === undefined ? { agent } : { agent: false, localAddress: from }),
        timeout: 8000,
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": body.length }) },
      },
      async (incoming) => {
        const { statusCode = 0, headers: answered } = incoming;
        resolve({
          status: statusCode,
          type: String(answered["content-type"] ?? ""),
          text: await text(incoming).catch(String),
        });
      },
    );
    // Node would refuse what is no address; this is the line that is sent.
    outgoing.path = path;
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Names that no error may hold: of the servers, of what lies outside of the API, and of files and lines of code. */
const secrets =
  /authenticator|identity|postgrest|haproxy|better-auth|node_modules|\.[jt]s:\d|localhost|private\.|request\.\w+\(/i;

function faultOf(odd: Odd, answer: OddAnswer) {
  const { status, type } = answer;
  // A session tells its user where they have signed in.
  const body = answer.text.replace(/"ipAddress":"[\d.]+"/g, "");
  if (status >= 500) return "5xx";
  if (/canary|127\.\d/.test(body)) return "leak";
  if (status < 400 || odd.method === "HEAD") return undefined;
  if (secrets.test(body)) return "leak";
  // The one page of the sign-in service, for people.
  if (/^\/auth\/done(\?|$)/.test(odd.path)) return undefined;
  if (!type.startsWith("application/json")) return `type ${type}`;
  const { code } = JSON.parse(body) as { code?: unknown };
  return typeof code === "string" ? undefined : "no code";
}

/** A request as a person can read it. */
const show = ({ body, ...odd }: Odd) => ({ ...odd, body: body?.toString("latin1").slice(0, 200) });

/**
 * Sends so many odd requests, eight at once, and prints the seed and the statuses.
 *
 * @returns How often each status came, and what was wrong: a 5xx, no answer, a name, an error that is no JSON with a code.
 */
export async function sendOdd(edge: Edge, makeNext: (seed: number) => () => Odd, count: number) {
  const seed = newSeed();
  const next = makeNext(seed);
  const faults: unknown[] = [];
  const statuses = new Map<number, number>();
  let left = count;
  const loop = async () => {
    while (left > 0) {
      left -= 1;
      const odd = next();
      try {
        const answer = await send(edge, odd);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const fault = faultOf(odd, answer);
        if (fault !== undefined) faults.push([fault, show(odd), answer]);
      } catch (error) {
        faults.push([String(error), show(odd)]);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, loop));
  process.stdout.write(`seed ${seed}: ${JSON.stringify([...statuses].sort())}\n`);
  return { seed, statuses, faults };
}
