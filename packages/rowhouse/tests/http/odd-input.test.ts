import { afterAll, beforeAll, expect, test } from "vitest";
import { type Caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { newSeed, randomly } from "../../src/testing/random.ts";
import { addTask, type Backend, everything, type Row, startBackend } from "./backend.ts";

const seed = newSeed();
const random = randomly(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const times = (count: number, text: string) => text.repeat(1 + Math.floor(random() * count));

let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend();
  alice = await signIn(api);
  await addTask(await signIn(api), { title: "of another user" });
});
afterAll(() => api.stop());

/** Pieces of JSON that parsers, or PostgreSQL, take in different ways. */
const oddJson = [
  () => '"a\\u0000b"',
  () => '"\\ud800"',
  () => '"\\udc00\\ud800"',
  () => '"\\ud83d\\ude00"',
  () => `1${times(2000, "0")}`,
  () => `-1e${times(4, "9")}`,
  () => "1e-999999999",
  () => `0.${times(500, "1")}`,
  () => `${times(3000, "[")}1`,
  () => {
    const depth = Math.floor(random() * 20_000);
    return `${"[".repeat(depth)}${"]".repeat(depth)}`;
  },
  () => `${times(200, '{"a":')}1`,
  () => "NaN",
  () => "-",
  () => "\u0000",
  () => '"\xff\xfe"',
  () => `"${times(300, "é")}"`,
  () => "true",
  () => "null",
  () => '"\u2028\u202e"',
];

/** The same for what stands in an address, encoded. */
const oddText = [
  () => "%00",
  () => "%ff",
  () => "%c3%28",
  () => "%ed%a0%80",
  () => "%f4%90%80%80",
  () => times(2000, "9"),
  () => times(500, "("),
  () => times(200, "a.b,"),
  () => "1e999",
  () => "%",
  () => "%zz",
  () => '"%22',
  () => times(500, "%f0%9f%98%80"),
  () => "\\u0000",
  () => "..%2f..",
  () => "{1,2",
  () => "*",
];

/** A request with something odd somewhere: a path, and a body for a POST. */
interface Odd {
  readonly path: string;
  readonly body?: string;
}

const places: (() => Odd)[] = [
  () => ({ path: "/tasks", body: `{"title":${pick(oddJson)()}}` }),
  () => ({ path: "/tasks", body: `[{"title":"x","description":${pick(oddJson)()}}]` }),
  () => ({ path: "/tasks", body: `{"title":"x","completed":${pick(oddJson)()}}` }),
  () => ({ path: "/tasks", body: `{"title":"x","id":${pick(oddJson)()}}` }),
  () => ({ path: "/tasks", body: `{${pick(oddJson)()}:1}` }),
  () => ({ path: "/rpc/me", body: `{"x":${pick(oddJson)()}}` }),
  () => ({ path: `/tasks?title=eq.${pick(oddText)()}` }),
  () => ({ path: `/tasks?title=in.(${pick(oddText)()})` }),
  () => ({ path: `/tasks?title=match.${pick(oddText)()}` }),
  () => ({ path: `/tasks?id=eq.${pick(oddText)()}` }),
  () => ({ path: `/tasks?${pick(oddText)()}=eq.1` }),
  () => ({ path: `/tasks?or=(title.eq.${pick(oddText)()})` }),
  () => ({ path: `/tasks?select=${pick(oddText)()}` }),
  () => ({ path: `/tasks?select=title->>${pick(oddText)()}` }),
  () => ({ path: `/tasks?order=${pick(oddText)()}` }),
  () => ({ path: `/tasks?limit=${pick(oddText)()}` }),
  () => ({ path: `/tasks?offset=${pick(oddText)()}` }),
  () => ({ path: `/tasks?columns=${pick(oddText)()}`, body: '{"title":"x"}' }),
  () => ({ path: `/tasks?on_conflict=${pick(oddText)()}`, body: '{"title":"x"}' }),
];

/** Asks as Alice, with bytes as they are: what stands as \xff in a body is no UTF-8. */
async function ask({ path, body }: Odd) {
  const response = await fetch(`${api.url}${path}`, {
    headers: {
      authorization: `Bearer ${sign(claimsFor(alice.id))}`,
      "content-type": "application/json",
      prefer: "return=representation",
    },
    ...(body === undefined ? {} : { method: "POST", body: Buffer.from(body, "latin1") }),
  });
  return { status: response.status, text: await response.text() };
}

/** The title or description that a body names, as JavaScript reads it; undefined when it is no text. */
function sentText(body: string | undefined): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body ?? "", "latin1").toString("utf8"));
    const row = (Array.isArray(parsed) ? parsed[0] : parsed) as Row;
    const value = row.description ?? row.title;
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * PostgREST 12 answers an error that repeats bytes which are no UTF-8 with a plain 500. No setting
 * changes that: only a proxy in front can refuse such an address.
 */
function isPlainFault({ path }: Odd, status: number, text: string): boolean {
  return /%(ff|c3%28|ed|f4)/.test(path) && status === 500 && text === "Something went wrong";
}

test(`Odd input is stored whole, or refused with JSON that has a code (TEST_SEED=${seed})`, async () => {
  const others = (rows: Row[]) =>
    rows.filter(({ value }) => !JSON.stringify(value).includes(alice.id));
  const before = others(await everything(api));
  let refused = 0;
  for (let number = 0; number < 600; number += 1) {
    const odd = pick(places)();
    const { status, text } = await ask(odd);
    const shown = `${odd.path.slice(0, 200)} ${odd.body?.slice(0, 200)}: ${status} ${text.slice(0, 300)}`;
    if (isPlainFault(odd, status, text)) continue;
    expect(status, shown).toBeLessThan(500);
    const answer = JSON.parse(text);
    if (status >= 400) {
      refused += 1;
      expect(answer, shown).toMatchObject({ code: expect.stringMatching(/^\w+$/) });
    } else if (status === 201 && sentText(odd.body) !== undefined) {
      expect([answer[0]?.title, answer[0]?.description], shown).toContain(sentText(odd.body));
    }
    expect(text, shown).not.toContain("of another user");
  }
  expect(refused).toBeGreaterThan(200);
  expect(others(await everything(api))).toEqual(before);
});
