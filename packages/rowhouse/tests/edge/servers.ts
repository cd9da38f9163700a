import { expect } from "vitest";
import type { Edge, Postgrest } from "./edge.ts";

/** What an edge knows of a PostgREST: its name there, its state, and the requests it has and had. */
export async function see(edge: Edge, { address }: Postgrest) {
  const servers = await edge.command("show servers state api");
  const name = servers
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , , server, ip]) => ip === address && server?.startsWith("api"))?.[3];
  const stat = new RegExp(`^api,${name},.*$`, "m").exec(await edge.command("show stat"))?.[0] ?? "";
  const fields = stat.split(",");
  return { name, current: Number(fields[4]), total: Number(fields[7]), state: fields[17] };
}

/** Resolves when an edge sends requests to a PostgREST. */
export const isUp = (edge: Edge, api: Postgrest) => hasState(edge, api, /^UP/);

/** Resolves when an edge sends no requests to a PostgREST. */
export const isDown = (edge: Edge, api: Postgrest) => hasState(edge, api, /^DOWN/);

const hasState = (edge: Edge, api: Postgrest, state: RegExp) =>
  expect.poll(async () => (await see(edge, api)).state, { timeout: 15_000 }).toMatch(state);
