import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { claimsFor, sign, secret as testSecret } from "../../src/testing/api.ts";
import { type Caller, caller } from "../../src/testing/caller.ts";
import type { Row } from "../../src/testing/two-users/rows.ts";
import { planTwoUserAttempts } from "../../src/testing/two-users/run.ts";
import { findSampleRequest } from "../../src/testing/two-users/sample.ts";

/**
 * Two users and one API: what they try on every owned table comes out as the matrix has it.
 *
 *   two-users.ts job <file>    the whole job; leaves one row, and notes in the file whose
 *   two-users.ts kept <file>   the row that the job left is still there
 *
 * API_URL and JWT_SECRET name the API; for the job DATABASE_HOST and POSTGRES_PASSWORD name the
 * database that it serves. Prints a line for each check; fails when one failed.
 */
interface Kept {
  readonly alice: string;
  readonly bob: string;
  readonly table: string;
  readonly row: Row;
}

const { API_URL: url = "", JWT_SECRET: secret = testSecret } = process.env;
const [phase, file = ""] = process.argv.slice(2);
const tokenFor = (id: string) => sign(claimsFor(id), secret);

if (phase === "job") await job();
else if (phase === "kept") await kept();
else throw new Error("usage: two-users.ts job|kept <file>");

async function job(): Promise<void> {
  const databaseUrl = superuserUrl();
  await runMatrix(databaseUrl);
  const alice = await signIn("alice");
  const bob = await signIn("bob");
  const { table, row } = await leaveRow(databaseUrl, alice);
  await badTokensAreRefused(alice.id, table);
  const notes: Kept = { alice: alice.id, bob: bob.id, table, row };
  writeFileSync(file, JSON.stringify(notes));
}

async function kept(): Promise<void> {
  const { alice, bob, table, row }: Kept = JSON.parse(readFileSync(file, "utf8"));
  check("alice's row is still there, as she left it", (await read(alice, table)).body, [row]);
  check("bob still sees none", (await read(bob, table)).body, []);
}

async function runMatrix(databaseUrl: string): Promise<void> {
  const { attempts, notTried, run } = await planTwoUserAttempts({ url, databaseUrl, tokenFor });
  check("two users have something to try", attempts.length > 0, true);
  for (const attempt of attempts) check(attempt.name, await run(attempt), []);
  for (const { name, reason } of notTried) process.stderr.write(`not tried: ${name}: ${reason}\n`);
}

async function signIn(name: string): Promise<Caller> {
  const id = randomUUID();
  const user = caller({ url }, tokenFor(id), id);
  const me = await user.ask("/rpc/me", { method: "POST" });
  check(`${name} signs in and is created`, [me.status, (me.body as Row).id], [200, id]);
  return user;
}

async function leaveRow(databaseUrl: string, alice: Caller): Promise<Pick<Kept, "table" | "row">> {
  const { table = "none", row } = (await findSampleRequest(databaseUrl)) ?? {};
  const headers = { prefer: "return=representation" };
  const created = await alice.ask(`/${table}`, { method: "POST", headers, body: row });
  check("alice leaves a row", created.status, 201);
  return { table, row: (created.body as Row[])[0] ?? {} };
}

async function read(user: string, table: string) {
  return caller({ url }, tokenFor(user), user).ask(`/${table}`);
}

/** The pre-request check and PostgREST know the secret, aud and iss, and check them. */
async function badTokensAreRefused(id: string, table: string): Promise<void> {
  const { exp: _, ...endless } = claimsFor(id);
  const bad = {
    "signed with another secret": sign(claimsFor(id), "another-secret-that-is-long-enough!"),
    "for another audience": sign({ ...claimsFor(id), aud: "elsewhere" }, secret),
    "from another issuer": sign({ ...claimsFor(id), iss: "elsewhere" }, secret),
    "without an end": sign(endless, secret),
  };
  for (const [fault, token] of Object.entries(bad)) {
    const { status } = await caller({ url }, token).ask(`/${table}`);
    check(`a token ${fault} is refused`, status, 401);
  }
  const anonymous = await caller({ url }).ask("/rpc/me", { method: "POST" });
  check("an anonymous caller cannot sign in", anonymous.status, 401);
}

function superuserUrl(): string {
  const { DATABASE_HOST = "", POSTGRES_PASSWORD = "" } = process.env;
  return `postgres://postgres:${encodeURIComponent(POSTGRES_PASSWORD)}@${DATABASE_HOST}:5432/rowhouse`;
}

function check(sentence: string, found: unknown, wanted: unknown): void {
  const [is, shouldBe] = [JSON.stringify(found), JSON.stringify(wanted)];
  const holds = is === shouldBe;
  process.stdout.write(`${holds ? "ok" : "not ok"} - ${sentence}\n`);
  if (holds) return;
  process.stderr.write(`  is ${is}\n  should be ${shouldBe}\n`);
  process.exitCode = 1;
}
