/** Who is compared: names for `--only`, and what they are. */
export const contestants = {
  rowhouse: "Rowhouse: PostgREST with row-level security, as npm start serves it",
  "rowhouse-bare": "the same PostgREST without policies and check, each request naming the user",
  client: "Rowhouse, called by the typed client",
  fetch: "Rowhouse, called by fetch with the same requests",
  "fastify-rls": "Fastify 5 + pg, RLS, tuned",
  fastify: "Fastify 5 + pg without RLS",
  "drizzle-rls": "Fastify 5 + Drizzle + postgres.js, RLS",
  "prisma-rls": "Fastify 5 + Prisma 7, RLS",
  "express-rls": "Express 5 + jsonwebtoken + pg, RLS",
  "postgraphile-rls": "PostGraphile 5, RLS",
  pgbench: "the statement alone, RLS",
  "rowhouse-rows": "Rowhouse on the next number of rows, a user of 500",
  "rowhouse-many": "Rowhouse on the next number of rows, a user with a tenth of them",
} as const;

/** One of them. */
export type ContestantName = keyof typeof contestants;

/** Those that stand in packages/bench/peers, and are installed there. */
export const peers = [
  "fastify-rls",
  "fastify",
  "drizzle-rls",
  "prisma-rls",
  "express-rls",
  "postgraphile-rls",
] as const satisfies readonly ContestantName[];

/** A peer that is installed. */
export type PeerName = (typeof peers)[number];
