import {
  ApiError,
  createRowhouse,
  type RequestEvent,
  type Rowhouse,
} from "../../../client/index.ts";
import type { MeasuredUser } from "./load.ts";
import { type Summary, sampleVariants } from "./sample.ts";

/** What one question costs, asked by the client and as the bare request. */
export interface Measurement {
  readonly question: string;
  /** The client's method, whatever it sends. */
  readonly client: Summary;
  /** The first request that the method sends, without a Prefer header; none for `count()`. */
  readonly plain?: Summary;
  /** The same with Prefer: count=exact. */
  readonly counted?: Summary;
}

/** Who asks, and where. */
export interface Session {
  readonly url: string;
  readonly token: string;
  readonly repetitions: number;
  readonly signal: AbortSignal;
}

/** Measures the questions of one user. */
export async function measurePages(
  session: Session,
  user: MeasuredUser,
  report: (line: string) => void,
): Promise<Measurement[]> {
  const { url, token, signal } = session;
  const urls: string[] = [];
  const onRequest = (event: RequestEvent) => urls.push(event.url);
  const db = createRowhouse({ url, token, retry: false, timeout: 60_000, onRequest });
  const measurements: Measurement[] = [];
  for (const [question, list] of Object.entries(await createLists(db, user, signal))) {
    report(question);
    urls.length = 0;
    await findFailure(list);
    const address = urls[0] ?? "";
    const variants = {
      client: () => findFailure(list),
      plain: () => fetchPage(session, address, {}),
      counted: () => fetchPage(session, address, { Prefer: "count=exact" }),
    };
    const summaries = await sampleVariants(variants, session.repetitions, signal);
    measurements.push({ question, ...summaries });
  }
  report("count()");
  const count = { client: () => findFailure(() => db.tasks.count({ signal })) };
  const { client } = await sampleVariants(count, session.repetitions, signal);
  return [...measurements, { question: "count()", client }];
}

type List = () => Promise<unknown>;

/** The pages that are asked for, by their names. */
async function createLists(
  db: Rowhouse,
  { middle }: MeasuredUser,
  signal: AbortSignal,
): Promise<Record<string, List>> {
  // The cursor of a page that ends in the middle of the list, without reading all before it.
  const { next } = await db.tasks.list({ limit: 1, where: { id: { lte: middle } }, signal });
  if (next === undefined) throw new Error("The middle of the list has no page after it.");
  const where = { title: { contains: "needle" } };
  return {
    "first page": () => db.tasks.list({ limit: 50, signal }),
    "page in the middle": () => db.tasks.list({ limit: 50, after: next, signal }),
    "filter, 1 in 1,000": () => db.tasks.list({ limit: 50, where, signal }),
  };
}

async function findFailure(call: List): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.code !== "aborted") return error.code;
    throw error;
  }
}

async function fetchPage(
  { token, signal }: Session,
  address: string,
  headers: Record<string, string>,
): Promise<string | undefined> {
  const response = await fetch(address, {
    headers: { Authorization: `Bearer ${token}`, ...headers },
    signal,
  });
  const body = await response.text();
  if (response.ok) return undefined;
  return /"code":"(\w+)"/.exec(body)?.[1] ?? `HTTP${response.status}`;
}
