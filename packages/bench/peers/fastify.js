// Fastify and pg without row-level security: each statement names the user, and one that forgets to
// shows everybody's rows. One round trip for each request.
import Fastify from "fastify";
import pg from "pg";
import { report } from "./listening.js";
import { readClaims } from "./token.js";

const pool = new pg.Pool({ max: 10 });
const columns = "user_id, id, title, description, completed, created_at, updated_at";
const withUser = `${columns
  .split(", ")
  .map((name) => `t.${name}`)
  .join(", ")}, row_to_json(u) as users`;

async function query(name, text, values) {
  return (await pool.query({ name, text, values })).rows;
}

const app = Fastify();
app.decorateRequest("user", null);
app.addHook("onRequest", async (request, reply) => {
  try {
    request.user = readClaims(request.headers.authorization).sub;
  } catch {
    return reply.code(401).send({ message: "The token was refused." });
  }
});

app.get("/tasks", async ({ user, query: { limit = "50", before, search, with: embed } }) => {
  if (search !== undefined) {
    const text = `select ${columns} from api.tasks where user_id = $1 and title ilike $2 order by id desc limit $3`;
    return query("search", text, [user, `%${search}%`, limit]);
  }
  if (before !== undefined) {
    const text = `select ${columns} from api.tasks where user_id = $1 and id < $2 order by id desc limit $3`;
    return query("page", text, [user, before, limit]);
  }
  if (embed === "users") {
    const text = `select ${withUser} from api.tasks t left join api.users u on u.id = t.user_id where t.user_id = $1 order by t.id desc limit $2`;
    return query("with user", text, [user, limit]);
  }
  const text = `select ${columns} from api.tasks where user_id = $1 order by id desc limit $2`;
  return query("list", text, [user, limit]);
});

app.get("/tasks/count", async ({ user }) => {
  const text = "select count(*)::int as count from api.tasks where user_id = $1";
  return (await query("count", text, [user]))[0];
});

app.get("/tasks/:id", async ({ user, params }, reply) => {
  const text = `select ${columns} from api.tasks where user_id = $1 and id = $2`;
  const [row] = await query("get", text, [user, params.id]);
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.post("/tasks", async ({ user, body: { id, title } }, reply) => {
  const text = `insert into api.tasks (user_id, id, title) values ($1, $2, $3) returning ${columns}`;
  return reply.code(201).send((await query("create", text, [user, id, title]))[0]);
});

app.patch("/tasks/:id", async ({ user, params, body: { title } }, reply) => {
  const text = `update api.tasks set title = $3 where user_id = $1 and id = $2 returning ${columns}`;
  const [row] = await query("update", text, [user, params.id, title]);
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.delete("/tasks/:id", async ({ user, params }, reply) => {
  const text = "delete from api.tasks where user_id = $1 and id = $2 returning id";
  const [row] = await query("delete", text, [user, params.id]);
  return reply.code(row ? 204 : 404).send();
});

await app.listen({ host: "127.0.0.1", port: 0 });
report(app.server.address().port);
