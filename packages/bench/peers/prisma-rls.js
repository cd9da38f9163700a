// Fastify and Prisma with row-level security, by an extension as Prisma's own example has it.
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@prisma/client";
import Fastify from "fastify";
import { report } from "./listening.js";
import { readClaims } from "./token.js";

const prisma = new PrismaClient({ adapter: new PrismaPg({ max: 10 }) });

function asUser({ claims }) {
  return prisma.$extends({
    query: {
      $allModels: {
        async $allOperations({ args, query }) {
          const [, result] = await prisma.$transaction([
            prisma.$executeRaw`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`,
            query(args),
          ]);
          return result;
        },
      },
    },
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
  return asUser(request).tasks.findMany({
    where: {
      ...(before === undefined ? {} : { id: { lt: before } }),
      ...(search === undefined ? {} : { title: { contains: search, mode: "insensitive" } }),
    },
    orderBy: { id: "desc" },
    take: Number(limit),
    ...(embed === "users" ? { include: { users: true } } : {}),
  });
});

app.get("/tasks/count", async (request) => ({ count: await asUser(request).tasks.count() }));

app.get("/tasks/:id", async (request, reply) => {
  const row = await asUser(request).tasks.findFirst({ where: { id: request.params.id } });
  return row ?? reply.code(404).send({ message: "You have no such task." });
});

app.post("/tasks", async (request, reply) => {
  const { id, title } = request.body;
  const data = { user_id: request.claims.sub, id, title };
  return reply.code(201).send(await asUser(request).tasks.create({ data }));
});

const keyOf = ({ claims, params }) => ({ user_id_id: { user_id: claims.sub, id: params.id } });

app.patch("/tasks/:id", async (request) => {
  const { title } = request.body;
  return asUser(request).tasks.update({ where: keyOf(request), data: { title } });
});

app.delete("/tasks/:id", async (request, reply) => {
  await asUser(request).tasks.delete({ where: keyOf(request) });
  return reply.code(204).send();
});

await app.listen({ host: "127.0.0.1", port: 0 });
report(app.server.address().port);
