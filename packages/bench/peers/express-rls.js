// Express, jsonwebtoken and pg with row-level security, as most write it.
import express from "express";
import jwt from "jsonwebtoken";
import pg from "pg";
import { report } from "./listening.js";

const { JWT_SECRET, JWT_AUD: audience, JWT_ISS: issuer } = process.env;
const pool = new pg.Pool({ max: 10 });
const columns = "user_id, id, title, description, completed, created_at, updated_at";
const withUser = `${columns
  .split(", ")
  .map((name) => `t.${name}`)
  .join(", ")}, row_to_json(u) as users`;

async function query({ claims }, text, values) {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query(
      "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
      [JSON.stringify(claims)],
    );
    const { rows } = await client.query(text, values);
    await client.query("commit");
    return rows;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

const notFound = (response) => response.status(404).json({ message: "You have no such task." });

const app = express();
app.use(express.json());
app.use((request, response, next) => {
  const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
  try {
    request.claims = jwt.verify(token, JWT_SECRET, { algorithms: ["HS256"], audience, issuer });
  } catch {
    return response.status(401).json({ message: "The token was refused." });
  }
  next();
});

app.get("/tasks", async (request, response) => {
  const { limit = "50", before, search, with: embed } = request.query;
  if (embed === "users") {
    const text = `select ${withUser} from api.tasks t left join api.users u on u.id = t.user_id order by t.id desc limit $1`;
    return response.json(await query(request, text, [limit]));
  }
  const values = [limit];
  let where = "";
  if (search !== undefined) where = `where title ilike $${values.push(`%${search}%`)}`;
  if (before !== undefined) where = `where id < $${values.push(before)}`;
  const text = `select ${columns} from api.tasks ${where} order by id desc limit $1`;
  response.json(await query(request, text, values));
});

app.get("/tasks/count", async (request, response) => {
  const [row] = await query(request, "select count(*)::int as count from api.tasks");
  response.json(row);
});

app.get("/tasks/:id", async (request, response) => {
  const text = `select ${columns} from api.tasks where id = $1`;
  const [row] = await query(request, text, [request.params.id]);
  if (row === undefined) return notFound(response);
  response.json(row);
});

app.post("/tasks", async (request, response) => {
  const { id, title } = request.body;
  const text = `insert into api.tasks (user_id, id, title) values ($1, $2, $3) returning ${columns}`;
  const [row] = await query(request, text, [request.claims.sub, id, title]);
  response.status(201).json(row);
});

app.patch("/tasks/:id", async (request, response) => {
  const text = `update api.tasks set title = $2 where id = $1 returning ${columns}`;
  const [row] = await query(request, text, [request.params.id, request.body.title]);
  if (row === undefined) return notFound(response);
  response.json(row);
});

app.delete("/tasks/:id", async (request, response) => {
  const text = "delete from api.tasks where id = $1 returning id";
  const [row] = await query(request, text, [request.params.id]);
  if (row === undefined) return notFound(response);
  response.status(204).end();
});

const server = app.listen(0, "127.0.0.1", () => report(server.address().port));
