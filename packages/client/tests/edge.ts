import { EdgeVM } from "@edge-runtime/vm";

/** What `run` of an app in an edge runtime is given. */
export interface EdgeArguments {
  readonly url: string;
  readonly token: string;
}

/**
 * Runs an app in Vercel's edge runtime: fetch, crypto and streams, and no process, require or Buffer.
 *
 * @param code A script that leaves `app.run(url, token)` behind.
 * @returns What `run` returns, by way of JSON.
 * @throws What `run` throws.
 */
export async function runInEdge(code: string, { url, token }: EdgeArguments): Promise<unknown> {
  const vm = new EdgeVM();
  vm.evaluate(code);
  const call = `app.run(${JSON.stringify(url)}, ${JSON.stringify(token)})`;
  return JSON.parse(await vm.evaluate<Promise<string>>(`${call}.then(JSON.stringify)`));
}
