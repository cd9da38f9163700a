// Fastify, Drizzle and postgres.js with row-level security.
import { count, desc, eq, ilike, lt, sql } from "drizzle-orm";
import { boolean, pgSchema, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/postgres-js";
import Fastify from "fastify";
import postgres from "postgres";
import { report } from "./listening.js";
import { readClaims } from "./token.js";

const api = pgSchema("api");
const times = {
  created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  updated_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
};
const users = api.table("users", {
  id: uuid().primaryKey(),
  email: text(),
  name: text(),
  ...times,
});
const tasks = api.table("tasks", {
  user_id: uuid().notNull(),
  id: uuid().notNull(),
  title: text().notNull(),
  description: text().notNull().default(""),
  completed: boolean().notNull().default(false),
  ...times,
});

const db = drizzle(postgres({ max: 10 }));

function asUser({ claims }, work) {
  return db.transaction(async (tx) => {
    await tx.execute(
      sql`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`,
    );
    return work(tx);
  });
}

const app = Fastify();
app.decorateRequest("claims", null);
app.addHook("onRequest", async (request, reply) => {
  try {
    request.claims = readClaims(request.headers.authorization);
  } catch {
    return reply.code(401).send({ message: "The token was refused." });
  }
});

app.get("/tasks", async (request) => {
  const { limit = "50", before, search, with: embed } = request.query;
  if (embed === "users") {
    const rows = await asUser(request, (tx) =>
      tx
        .select()
        .from(tasks)
        .leftJoin(users, eq(users.id, tasks.user_id))
        .orderBy(desc(tasks.id))
        .limit(Number(limit)),
    );
    return rows.map((row) => ({ ...row.tasks, users: row.users }));
  }
  const wanted = [
    ...(before === undefined ? [] : [lt(tasks.id, before)]),
    ...(search === undefined ? [] : [ilike(tasks.title, `%${search}%`)]),
  ];
  return asUser(request, (tx) =>
    tx.select().from(tasks).where(wanted[0]).orderBy(desc(tasks.id)).limit(Number(limit)),
  );
});

app.get("/tasks/count", async (request) => {
  const [row] = await asUser(request, (tx) => tx.select({ count: count() }).from(tasks));
  return row;
});

app.get("/tasks/:id", async (request, reply) => {
  const [row] = await asUser(request, (tx) =>
    tx.select().from(tasks).where(eq(tasks.id, request.params.id)),
  );
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.post("/tasks", async (request, reply) => {
  const { id, title } = request.body;
  // Columns that are left out are written as `default`, for which there is no grant on the times.
  const [row] = await asUser(request, (tx) =>
    tx.execute(
      sql`insert into ${tasks} (user_id, id, title) values (${request.claims.sub}, ${id}, ${title}) returning *`,
    ),
  );
  return reply.code(201).send(row);
});

app.patch("/tasks/:id", async (request, reply) => {
  const { title } = request.body;
  const [row] = await asUser(request, (tx) =>
    tx.update(tasks).set({ title }).where(eq(tasks.id, request.params.id)).returning(),
  );
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.delete("/tasks/:id", async (request, reply) => {
  const [row] = await asUser(request, (tx) =>
    tx.delete(tasks).where(eq(tasks.id, request.params.id)).returning({ id: tasks.id }),
  );
  return reply.code(row ? 204 : 404).send();
});

await app.listen({ host: "127.0.0.1", port: 0 });
report(app.server.address().port);
