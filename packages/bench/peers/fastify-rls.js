// Fastify and pg with row-level security, tuned: named statements, tokens remembered.
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

async function query({ claims }, name, text, values = []) {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query({
      name: "claims",
      text: "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
      values: [JSON.stringify(claims)],
    });
    const { rows } = await client.query({ name, text, values });
    await client.query("commit");
    return rows;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
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
  if (search !== undefined) {
    const text = `select ${columns} from api.tasks where title ilike $1 order by id desc limit $2`;
    return query(request, "search", text, [`%${search}%`, limit]);
  }
  if (before !== undefined) {
    const text = `select ${columns} from api.tasks where id < $1 order by id desc limit $2`;
    return query(request, "page", text, [before, limit]);
  }
  if (embed === "users") {
    const text = `select ${withUser} from api.tasks t left join api.users u on u.id = t.user_id order by t.id desc limit $1`;
    return query(request, "with user", text, [limit]);
  }
  const text = `select ${columns} from api.tasks order by id desc limit $1`;
  return query(request, "list", text, [limit]);
});

app.get("/tasks/count", async (request) => {
  const [row] = await query(request, "count", "select count(*)::int as count from api.tasks");
  return row;
});

app.get("/tasks/:id", async (request, reply) => {
  const text = `select ${columns} from api.tasks where id = $1`;
  const [row] = await query(request, "get", text, [request.params.id]);
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.post("/tasks", async (request, reply) => {
  const { id, title } = request.body;
  const text = `insert into api.tasks (user_id, id, title) values ($1, $2, $3) returning ${columns}`;
  const [row] = await query(request, "create", text, [request.claims.sub, id, title]);
  return reply.code(201).send(row);
});

app.patch("/tasks/:id", async (request, reply) => {
  const text = `update api.tasks set title = $2 where id = $1 returning ${columns}`;
  const values = [request.params.id, request.body.title];
  const [row] = await query(request, "update", text, values);
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.delete("/tasks/:id", async (request, reply) => {
  const text = "delete from api.tasks where id = $1 returning id";
  const [row] = await query(request, "delete", text, [request.params.id]);
  return reply.code(row ? 204 : 404).send();
});

await app.listen({ host: "127.0.0.1", port: 0 });
report(app.server.address().port);
