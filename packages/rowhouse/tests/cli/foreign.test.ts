import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rowhouse, startStack } from "../support/cli.ts";
import { alice, bob, type ForeignProject, startForeign } from "../support/foreign.ts";

// Schemas public and billing, roles anon, authenticated and service_role, users in auth.users, keys that
// are numbers, texts and pairs, and no pre-request function: nothing here is named as Rowhouse names it.
let foreign: ForeignProject;
beforeAll(async () => {
  foreign = await startForeign();
  await foreign.sql(`
    insert into auth.users (id, email)
    values ('${alice}', 'alice@example.com'), ('${bob}', 'bob@example.com');
    insert into public.posts (author, title, published)
    values ('${alice}', 'A draft', false), ('${bob}', 'A post', true), ('${bob}', 'Another', false);
    insert into public.tags values (1, 'sql'), (2, 'sql');
    insert into billing.invoices values ('2026-1', '${alice}', 12.5);
  `);
});
afterAll(() => foreign.stop());

async function json(...args: string[]) {
  const { stdout, stderr } = await foreign.run(...args, "--json");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The verdict of `why` on one row. */
async function verdict(...args: string[]): Promise<string> {
  return (await json("why", ...args)).rows[0].verdict;
}

test("why answers for users in auth.users, keys of each kind, and any token", async () => {
  expect(await verdict("--as", "alice@example.com", "select", "posts", "1")).toBe("yes");
  expect(await verdict("--as", bob, "select", "public.posts", "1")).toBe("no");
  expect(await verdict("--as", "anon", "select", "posts", "2")).toBe("yes");
  expect(await verdict("--as", alice, "select", "tags", "1,sql")).toBe("yes");
  expect(await verdict("--as", bob, "select", "tags", "1,sql")).toBe("no");
  expect(await verdict("--as", alice, "select", "billing.invoices", "2026-1")).toBe("yes");
  expect(await verdict("--as", bob, "select", "invoices", "2026-1")).toBe("no");
  const token = (role: string) => JSON.stringify({ role, sub: alice });
  expect(await verdict("--claims", token("service_role"), "delete", "posts", "2")).toBe("yes");
  expect(await verdict("--claims", token("authenticated"), "delete", "posts", "2")).toBe("no");
  expect(await verdict("--claims", "{}", "select", "posts", "1")).toBe("no");
  const { stdout } = await foreign.run("why", "--as", alice, "update", "posts", "1");
  expect(stdout).toContain(
    `May alice@example.com (${alice}) update 1 (author ${alice}) of public.posts?`,
  );
});

test("why names what it does not know by the project's own names", async () => {
  const error = async (...args: string[]) => (await foreign.run("why", ...args)).stderr;
  expect(await error("--as", "carol@example.com", "select", "posts")).toMatch(
    /\[user_unknown\][\s\S]*that auth\.users has, or anon\./,
  );
  expect(await error("--claims", '{"role": "editor"}', "select", "posts")).toMatch(
    /\[claims_invalid\][\s\S]*"editor", which no request can have[\s\S]*anon, authenticated, service_role/,
  );
  expect(await error("--as", alice, "select", "tags", "1")).toMatch(
    /\[row_unknown\][\s\S]*public\.tags is named by 2 columns[\s\S]*post_id, tag/,
  );
  expect(await error("--as", alice, "select", "users")).toMatch(
    /\[table_unknown\][\s\S]*posts, tags, billing\.invoices/,
  );
});

test("access shows each schema and role", async () => {
  expect(await foreign.run("access")).toMatchObject({ code: 0 });
  const page = readFileSync(join(foreign.dir, "docs/access.md"), "utf8");
  expect(page.match(/^## .*/gm)).toEqual([
    "## `public.posts`",
    "## `public.tags`",
    "## `billing.invoices`",
    "## Functions",
  ]);
  expect(page).toContain(
    "`anon` is a request without a token, `authenticated` and `service_role` one whose token names it.",
  );
  expect(page).toContain("| | anon | authenticated | service_role |");
  expect(page).toContain("| `public.count_posts()` | anon, authenticated, service_role |");
});

test("rehearse shows who gains which posts", async () => {
  const file = join(foreign.dir, "policies/access.sql");
  const declared = readFileSync(file, "utf8");
  writeFileSync(file, declared.replace("using (published or", "using (true or"));
  const rehearsal = await json("rehearse");
  writeFileSync(file, declared);
  const select = rehearsal.changes.find(
    ({ role, action, table }: Record<string, string>) =>
      role === "authenticated" && action === "select" && table === "posts",
  );
  const gained = select.effects.map(({ who, gained }: Record<string, unknown>) => [who, gained]);
  expect(gained).toEqual([
    ["a new user", 2],
    ["bob@example.com", 1],
    ["alice@example.com", 1],
  ]);
  expect(rehearsal).toMatchObject({ gains: true, users: { sampled: 2, total: 2 } });
  expect(await json("rehearse")).toMatchObject({ changes: [], gains: false, unclear: false });
});

test("token signs for any sub and claims, without a database", async () => {
  const env = { ...foreign.env, DATABASE_URL: "postgres://nobody@127.0.0.1:1/x" };
  const sign = (...args: string[]) => rowhouse(["token", ...args], env, foreign.dir);
  const { stdout } = await sign("--sub", "42", "--claims", '{"role": "editor", "aud": null}');
  const [, payload = ""] = stdout.split(".");
  expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual({
    iss: "rowhouse",
    role: "editor",
    sub: "42",
    iat: expect.any(Number),
    exp: expect.any(Number),
  });
  for (const [claims, why] of [
    ["{", "is not JSON"],
    ["[]", "is JSON, but not an object"],
    ['{"exp": 1}', "holds exp: --expires-in decides on it"],
    ['{"sub": "7"}', "holds sub: --sub decides on it"],
  ] as const) {
    const { code, stderr } = await sign("--sub", "42", "--claims", claims);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`\\[claims_invalid\\].*${why}`)),
    });
  }
  const { stderr } = await foreign.run("token", "carol@example.com");
  expect(stderr).toMatch(/\[user_unknown\] .*those of auth\.users are not made here/);
});

test("start serves it with its own login role, and says in one line what it lacks", async () => {
  const stack = await startStack({ ...foreign.env, AUTH: "on" }, "start", foreign.dir);
  const warnings = stack.output().match(/^Warning: .*/gm);
  expect(warnings).toEqual([
    expect.stringMatching(/names no db-pre-request: a token needs no exp, sub/),
  ]);
  expect(stack.output()).toMatch(/Sign-in: +off: the database has no schema identity/);
  const token = (await foreign.run("token", "alice@example.com")).stdout.trim();
  const ask = async (path: string, headers = {}) =>
    (await fetch(`${stack.url}${path}`, { headers })).json();
  const authorization = `Bearer ${token}`;
  expect(await ask("/posts?select=title&order=id")).toEqual([{ title: "A post" }]);
  expect(await ask("/posts?select=title&order=id", { authorization })).toEqual([
    { title: "A draft" },
    { title: "A post" },
  ]);
  expect(
    await ask("/invoices?select=number", { authorization, "accept-profile": "billing" }),
  ).toEqual([{ number: "2026-1" }]);
  await stack.end();
});

test("types has every exposed schema, and the owner columns are those that lead to auth.users", async () => {
  expect(await foreign.run("types")).toMatchObject({ code: 0 });
  const types = readFileSync(join(foreign.dir, "types.ts"), "utf8");
  expect(types).toMatch(/^ {2}billing: \{$/m);
  expect(types).toMatch(/^ {2}public: \{$/m);
  expect(types).not.toContain("schema_migrations");
});

test("mutants weaken what its roles may do, and its pgTAP file kills them", async () => {
  const listed: { object: string; kind: string; sql: string }[] = await json("mutants", "--list");
  const statements = listed.map(({ sql }) => sql);
  expect(statements).toContain("grant select on billing.invoices to anon;");
  expect(statements).toContain("grant execute on routine auth.uid() to anon;");
  expect(statements).toContain("alter role service_role superuser;");
  expect(listed.map(({ kind }) => kind)).toContain("author without NOT NULL");
  expect(JSON.stringify(listed)).not.toMatch(/anonymous|user_id|\bapi\./);
  const { stdout } = await foreign.run("mutants", "--only", "users write their own posts");
  expect(stdout).toMatch(/killed/);
});

test("slow shows the plan of a statement for one of its users", async () => {
  // As a role of the API: nothing else runs as one between the two commands, so that numbers stay.
  await foreign.sql(
    "begin; set local role authenticated; select from public.posts where title = 'slow'; commit",
  );
  const statements: { statement: string }[] = await json("slow", "--limit", "1000");
  const number =
    1 + statements.findIndex(({ statement }) => /from public\.posts where title/.test(statement));
  const args = ["--limit", "1000", "--plan", `${number}`, "--as", "bob@example.com"];
  const { stdout } = await foreign.run("slow", ...args);
  expect(stdout).toContain("published OR");
});

test("the doctor takes the missing pre-request function for a choice, and finds the files current", async () => {
  const found: { check: string; level: string; message: string }[] = await json("doctor");
  const of = (check: string) => found.filter((one) => one.check === check);
  expect(of("configuration")).toEqual([
    expect.objectContaining({
      level: "note",
      message: expect.stringContaining("no db-pre-request"),
    }),
  ]);
  expect([...of("generated"), ...of("migrations")]).toEqual([]);
});
