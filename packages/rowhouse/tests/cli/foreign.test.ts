import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { withClient } from "../../src/stack/database.ts";
import { findDatabaseUrl } from "../../src/stack/embedded.ts";
import { openHome } from "../../src/stack/home.ts";
import { readSettings } from "../../src/stack/settings.ts";
import { newHome, rowhouse, startStack } from "../support/cli.ts";
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
    insert into billing.payers values ('${alice}', '2026-1');
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
  // A pair of which one is the owner: alone, or both.
  expect(await verdict("--as", alice, "select", "billing.payers", "2026-1")).toBe("yes");
  expect(await verdict("--as", bob, "select", "payers", `${alice},2026-1`)).toBe("no");
  const pair = await foreign.run("why", "--as", alice, "select", "billing.payers", "2026-1");
  expect(pair.stdout).toContain(` select ${alice},2026-1 of billing.payers?`);
  const missing = await foreign.run("why", "--as", bob, "select", "payers", `${bob},2026-1`);
  expect(missing.stderr).toMatch(/\[row_unknown\] billing\.payers has no row with the invoice b0b/);
  const token = (role: string) => JSON.stringify({ role, sub: alice });
  expect(await verdict("--claims", token("service_role"), "delete", "posts", "2")).toBe("yes");
  expect(await verdict("--claims", token("authenticated"), "delete", "posts", "2")).toBe("no");
  expect(await verdict("--claims", "{}", "select", "posts", "1")).toBe("no");
  const { stdout } = await foreign.run("why", "--as", alice, "update", "posts", "1");
  expect(stdout).toContain(
    `May alice@example.com (${alice}) update 1 (author ${alice}) of public.posts?`,
  );
});

test("why as an owner who may not become the role exits with 1 where the role's rights decide, and says what to grant", async () => {
  await foreign.sql(`
    create role keeper login bypassrls password 'a-password-for-tests';
    grant pg_read_all_data to keeper;`);
  const url = new URL(foreign.url);
  url.username = "keeper";
  url.password = "a-password-for-tests";
  const ask = (...args: string[]) =>
    rowhouse(
      ["why", "--as", alice, ...args],
      { ...foreign.env, DATABASE_URL: url.href },
      foreign.dir,
    );
  try {
    expect(await ask("select", "posts", "1")).toMatchObject({ code: 0 });
    const tags = await ask("select", "tags", "1,sql");
    expect(tags).toMatchObject({ code: 1, stdout: expect.stringMatching(/^Cannot tell: /m) });
    expect(tags.stderr).toMatch(
      /\[verdict_unknown\] "?Tags follow their post[\s\S]*keeper, the role in the URL[\s\S]*\n.*grant authenticated to keeper/,
    );
    const file = join(foreign.dir, "policies/access.sql");
    const declared = readFileSync(file, "utf8");
    writeFileSync(file, declared.replace("where posts.id = post_id", "where posts.id >= post_id"));
    const rehearsed = await rowhouse(
      ["rehearse", "--against", url.href],
      { ...foreign.env, DATABASE_URL: undefined },
      foreign.dir,
    );
    writeFileSync(file, declared);
    expect(rehearsed.stdout).toMatch(
      /cannot tell: keeper, the role in the URL of the database, may/,
    );
    expect(rehearsed.stdout).not.toContain("DATABASE_URL");
  } finally {
    await foreign.sql("drop owned by keeper; drop role keeper");
  }
});

test("why names a row whose key holds a comma in quotes, and says that the pre-request function is not tried", async () => {
  await foreign.sql("insert into public.tags values (1, 'a,\"b')");
  try {
    const args = ["why", "--as", alice, "select", "tags", '1,"a,""b"'];
    const found = await foreign.run(...args);
    expect(found).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('select 1,"a,""b" of'),
    });
    expect(found.stdout).not.toContain("not tried");
    const env = { ...foreign.env, PGRST_DB_PRE_REQUEST: "private.check_token" };
    const checked = await rowhouse(args, env, foreign.dir);
    expect(checked.stdout).toContain("The pre-request function private.check_token is not tried.");
    const without = await foreign.run("why", "--as", alice, "select", "tags", "1,a,b");
    expect(without.stderr).toMatch(/holds 3 values[\s\S]*in quotes, as in CSV/);
  } finally {
    await foreign.sql("delete from public.tags where tag like 'a,%'");
  }
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
    /\[table_unknown\][\s\S]*posts, tags, billing\.invoices, billing\.payers/,
  );
});

/** Runs a command with settings in package.json. */
async function withSettings<T>(rowhouse: object, work: () => Promise<T>): Promise<T> {
  const file = join(foreign.dir, "package.json");
  const before = readFileSync(file, "utf8");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(before), rowhouse }));
  try {
    return await work();
  } finally {
    writeFileSync(file, before);
  }
}

test("why finds users by the project's own query, and names what is wrong with it", async () => {
  const asked = (users: string, as: string) =>
    withSettings({ users }, () => foreign.run("why", "--as", as, "select", "posts", "1"));
  const people = "select id, email from auth.users where email like 'alice%'";
  const answer = await asked(`${people} -- all of them`, "alice@example.com");
  expect(answer.stdout).toMatch(/May alice@example\.com .* select 1[\s\S]*Yes: /);
  const wrong: Record<string, readonly [as: string, error: RegExp]> = {
    [people]: ["bob@example.com", /\[user_unknown\].* No user has the email address bob@/],
    "select id, email from auth.users where false": [alice, /\[user_unknown\].*has the id a11ce/],
    "select null::uuid as id, email from auth.users": [
      "alice@example.com",
      /\[user_unknown\].*address alice@/,
    ],
    "select id, 'all@example.com' as email from auth.users": [
      "all@example.com",
      /\[user_ambiguous\] Several users have .*: a11ce.*, b0b.*\nGive the id/,
    ],
    "select id, n || '@example.com' as email from auth.users, generate_series(1, 2) as n": [
      alice,
      /\[user_ambiguous\] Several rows of the users have the id a11ce.*1@example\.com, 2@example/,
    ],
    "select email from auth.users": [alice, /\[settings_invalid\].* column "id" does not exist/],
    "select id from auth.users": [alice, /\[settings_invalid\].* column "email" does not exist/],
    "select id, email from auth.nowhere": [alice, /\[settings_invalid\].*"auth\.nowhere" does not/],
    "select id, (1 / (n - 1))::text as email from auth.users, generate_series(1, 1) as n": [
      alice,
      /\[settings_invalid\].* division by zero/,
    ],
  };
  for (const [users, [as, error]] of Object.entries(wrong)) {
    const { code, stderr } = await asked(users, as);
    expect({ users, code, stderr }).toEqual({
      users,
      code: 1,
      stderr: expect.stringMatching(error),
    });
  }
  // One row for each user is enough, however often the query gives it.
  const twice = await asked(`${people} union all ${people}`, alice);
  expect(twice.stdout).toMatch(/Yes: /);
  const { stderr } = await withSettings({ users: "select id, email from auth.nowhere" }, () =>
    foreign.run("token", "alice@example.com"),
  );
  expect(stderr).toMatch(/\[settings_invalid\] The users cannot be read/);
});

test("a project whose users have another role names it, and tokens have a role that requests can have", async () => {
  const payload = (token: string) =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const signed = async (...args: string[]) => payload((await foreign.run("token", ...args)).stdout);
  expect(await signed("--sub", "42")).toMatchObject({ role: "authenticated", sub: "42" });
  expect(await signed("--claims", '{"role": "service_role"}')).toMatchObject({
    role: "service_role",
  });
  expect(await signed("--claims", '{"role": null}')).not.toHaveProperty("role");
  const refused = await foreign.run("token", "--claims", '{"role": "editor"}');
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /\[claims_invalid\].*"editor", which no request can have: there is none, or authenticator may not become it\.\nGive the claim role one of anon, authenticated, service_role/,
    ),
  });
  const byAuthenticated = '{"role": "anon", "x": 1}';
  expect(await signed("--claims", byAuthenticated)).toMatchObject({ role: "anon", x: 1 });

  await foreign.sql("create role editor; grant editor to authenticator");
  await foreign.sql(
    "grant usage on schema public to editor; grant select on public.posts to editor",
  );
  try {
    expect(await signed("--claims", '{"role": "editor"}')).toMatchObject({ role: "editor" });
    await withSettings({ userRole: "editor" }, async () => {
      expect(await signed("alice@example.com")).toMatchObject({ role: "editor", sub: alice });
      expect(await signed("--sub", "42")).toMatchObject({ role: "editor" });
      const answer = await json("why", "--as", alice, "select", "posts", "1");
      expect(answer).toMatchObject({ caller: { role: "editor" }, rows: [{ verdict: "yes" }] });
      expect(await verdict("--as", alice, "update", "posts", "1")).toBe("no");
    });
    const { stderr } = await withSettings({ userRole: "writer" }, () =>
      foreign.run("why", "--as", alice, "select", "posts"),
    );
    expect(stderr).toMatch(/\[settings_invalid\] "userRole".*writer, which no request can have/);
    const env = { ...foreign.env, JWT_ROLE: "writer" };
    const started = await rowhouse(["start"], env, foreign.dir);
    expect(started.stderr).toMatch(
      /\[settings_invalid\] JWT_ROLE is writer, which no request can have: those are anon, /,
    );
    const byVariable = await rowhouse(
      ["token", "--sub", "42"],
      { ...env, JWT_ROLE: "editor" },
      foreign.dir,
    );
    expect(payload(byVariable.stdout)).toMatchObject({ role: "editor" });
  } finally {
    await foreign.sql("drop owned by editor; drop role editor");
  }
});

test("access shows each schema and role", async () => {
  expect(await foreign.run("access")).toMatchObject({ code: 0 });
  const page = readFileSync(join(foreign.dir, "docs/access.md"), "utf8");
  expect(page.match(/^## .*/gm)).toEqual([
    "## `public.posts`",
    "## `public.tags`",
    "## `billing.invoices`",
    "## `billing.payers`",
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

test("claims of the users decide in why, rehearse and token; where one is missing, it is named", async () => {
  const file = join(foreign.dir, "policies/access.sql");
  const declared = readFileSync(file, "utf8");
  const reads = "current_setting('request.jwt.claims', true)::jsonb ->> 'desk'";
  const policy = `using (published or ${reads} = 'news' or`;
  writeFileSync(file, declared.replace("using (published or", policy));
  const obstacle = "it reads the claim desk, which no checked token has";
  const unknown = await foreign.run("rehearse", "--as", bob);
  expect(unknown).toMatchObject({ code: 2, stdout: expect.stringContaining(obstacle) });
  const users = (desk: string) => ({
    users: `select id, email, jsonb_build_object('desk', ${desk}) as claims from auth.users`,
  });
  const desks = users("case email when 'bob@example.com' then 'news' end");
  const gained = await withSettings(desks, () => json("rehearse"));
  const [change] = gained.changes.filter(
    ({ action, role }: Record<string, string>) => action === "select" && role === "authenticated",
  );
  expect(change).toMatchObject({ table: "posts", obstacle: null });
  expect(gained.gains).toBe(true);
  const token = await withSettings(desks, () => foreign.run("token", "bob@example.com"));
  const payload = Buffer.from(token.stdout.split(".")[1] ?? "", "base64url").toString();
  expect(JSON.parse(payload)).toMatchObject({ sub: bob, desk: "news", role: "authenticated" });
  writeFileSync(file, declared);

  const name = '"Published posts are for everyone"';
  await foreign.sql(`alter policy ${name} on public.posts ${policy} (select auth.uid()) = author)`);
  const ask = () => foreign.run("why", "--as", bob, "select", "posts", "1");
  const missing = "The policies read the claim desk, which this token lacks";
  expect(await ask()).toMatchObject({ code: 2, stdout: expect.stringContaining(missing) });
  expect(await withSettings(desks, ask)).toMatchObject({ code: 0 });
  await foreign.sql(
    `alter policy ${name} on public.posts using (published or (select auth.uid()) = author)`,
  );
  const { stderr } = await withSettings(
    { users: "select id, email, '[1]'::jsonb as claims from auth.users" },
    ask,
  );
  expect(stderr).toMatch(/\[settings_invalid\].*"claims" holds what is no JSON object/);
});

test("claims and rows keep every digit of a bigint, which JavaScript would round", async () => {
  const [big, other] = ["9007199254740993", "9007199254740992"];
  const name = '"Published posts are for everyone"';
  const claim = "(current_setting('request.jwt.claims', true)::json ->> 'post')::bigint";
  const settings = {
    users: `select id, email, jsonb_build_object('post', ${big}, 'n', array[1e30, 12.50]) as claims from auth.users`,
  };
  await foreign.sql(`
    insert into public.posts (id, author, title) overriding system value
    values (${big}, '${alice}', 'Shown'), (${other}, '${alice}', 'Hidden');
    alter policy ${name} on public.posts using (published or id = ${claim});
    create policy "Tags" on public.tags for insert with check (post_id = ${claim})`);
  const ask = (...args: string[]) => foreign.run("why", ...args);
  try {
    await withSettings(settings, async () => {
      const token = await foreign.run("token", "bob@example.com");
      expect(payloadOf(token.stdout)).toContain(`"n":[1${"0".repeat(30)},12.50]`);
      expect(payloadOf(token.stdout)).toContain(`"post":${big},`);
      const shown = await ask("--as", bob, "select", "posts", big, "--json");
      expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(`"id": ${big},`) });
      expect(shown.stdout).toContain(`"post": ${big}`);
      const hidden = await ask("--as", bob, "select", "posts", other);
      expect(hidden).toMatchObject({
        code: 2,
        stdout: expect.stringContaining(`select ${other} `),
      });
      const tag = (id: string) =>
        ask("--as", bob, "insert", "tags", "--row", `{"post_id": ${id}, "tag": "sql"}`);
      expect(await tag(big)).toMatchObject({ code: 0, stdout: expect.stringContaining(big) });
      expect(await tag(other)).toMatchObject({ code: 2 });
      await foreign.sql('drop policy "Tags" on public.tags');
      const { changes } = await json("rehearse", "--as", bob);
      const effects = changes.flatMap((change: { effects: unknown[] }) => change.effects);
      const lost = [expect.stringContaining(big)];
      expect(effects).toMatchObject([{ userId: bob, lost: 1, examples: { lost } }]);
    });
    const claims = `{"role": "authenticated", "post": ${big}, "more": [{"n": 1e400}, -0, "1.0"]}`;
    const more = '"more":[{"n":1e400},-0,"1.0"]';
    const free = await ask("--claims", claims, "select", "posts", big, "--json");
    expect(free).toMatchObject({ code: 0 });
    expect(free.stdout.replaceAll(/\s/g, "")).toContain(`"post":${big},${more}`);
    expect(await ask("--claims", claims, "select", "posts", other)).toMatchObject({ code: 2 });
    const signed = await foreign.run("token", "--claims", claims);
    expect(payloadOf(signed.stdout)).toContain(`"post":${big},${more}`);
  } finally {
    await foreign.sql(`
      delete from public.posts where id >= ${other};
      drop policy if exists "Tags" on public.tags;
      alter policy ${name} on public.posts using (published or (select auth.uid()) = author)`);
  }
});

/** What a token holds, as it was signed. */
function payloadOf(token: string): string {
  return Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
}

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
  expect(stack.output()).toMatch(
    /A token: +.*npx rowhouse token --sub <id>, or from your identity/,
  );
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

test("mutants runs pgTAP files that were written for the extension, and leaves out what is the platform's", async () => {
  const tests = join(foreign.dir, "tests/database");
  const only = ["--only", "Customers see their invoices"];
  const { mutants } = await json("mutants", ...only);
  expect(mutants).toContainEqual(
    expect.objectContaining({
      kind: "using (true)",
      killedBy: { file: "invoices.test.sql", assertion: "Carol sees her invoice" },
    }),
  );
  const platform = { schemas: ["auth"] };
  const listed = await withSettings({ platform }, () => json("mutants", "--list"));
  expect(JSON.stringify(listed)).toContain("billing.invoices");
  expect(listed.filter(({ object }: { object: string }) => /^auth\b/.test(object))).toEqual([]);

  // An extension that the server lacks, and no file at all.
  const other = join(tests, "other.sql");
  writeFileSync(other, 'begin; create extension "acme-helpers"; select plan(1); rollback;');
  const lacking = await foreign.run("mutants", ...only);
  rmSync(other);
  expect(lacking).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /\[tests_red\][\s\S]*other\.sql: error: extension "acme-helpers" is not available\n.*SCRATCH_URL names a server that has the extension/,
    ),
  });
  renameSync(tests, `${tests}.away`);
  const without = await foreign.run("mutants", ...only);
  renameSync(`${tests}.away`, tests);
  expect(without.stderr).toMatch(/\[tests_missing\] There is no pgTAP file in tests\/database/);
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

test("dev applies what is saved, refuses what is wrong and loses nothing, and writes the types", async () => {
  const file = (name: string) => join(foreign.dir, name);
  const edit = (name: string, from: string, to: string) => {
    const text = readFileSync(file(name), "utf8");
    expect(text).toContain(from);
    writeFileSync(file(name), text.replace(from, to));
  };
  const types = file("types.ts");
  rmSync(types, { force: true });
  // It works on the home's own database alone.
  const env = { ...foreign.env, DATABASE_URL: undefined, ROWHOUSE_HOME: newHome() };
  const stack = await startStack(env, "dev", foreign.dir);
  const settings = readSettings({ ROWHOUSE_HOME: stack.home }, readProject(foreign.dir));
  const url = (await findDatabaseUrl(settings, openHome(stack.home))) ?? "";
  const run = (...args: string[]) => rowhouse(args, env, foreign.dir);
  const sql = (text: string) => withClient(url, async (client) => (await client.query(text)).rows);
  await sql(`
    insert into auth.users (id, email) values ('${alice}', 'alice@example.com');
    insert into billing.invoices values ('2026-1', '${alice}', 12.5);`);
  const outputFrom = (after: number) => stack.output().slice(after);
  /** Waits for a line after what was printed so far. */
  const printsNext = async (pattern: RegExp, work: () => void) => {
    const start = stack.output().length;
    work();
    await stack.prints(new RegExp(`^[\\s\\S]{${start},}?${pattern.source}`));
    return outputFrom(start);
  };

  // A policy.
  await printsNext(/Applied in/, () =>
    edit(
      "policies/access.sql",
      "using (auth.uid() = customer)",
      "using (auth.uid() = customer and amount > 100)",
    ),
  );
  const seen = await run("why", "--as", alice, "select", "billing.invoices", "2026-1");
  expect(seen.stdout).toMatch(/^No: /m);

  // A table of the other schema, with its types, and served at once. Its policy fails, and says so itself.
  const table = `
    create table billing.notes (number text primary key references billing.invoices, body text);
    alter table billing.notes enable row level security;
    grant select on billing.notes to authenticated;
    create policy "All see notes" on billing.notes for select to authenticated using (1 / length(number) < 2);
    comment on policy "All see notes" on billing.notes is 'All.

lint: allow fallible_policies: No number is empty.';`;
  const applied = await printsNext(/Wrote the client's types/, () =>
    edit(
      "sql/tables.sql",
      "create function public.count_posts",
      `${table}\ncreate function public.count_posts`,
    ),
  );
  expect(applied).not.toContain("Requests may fail");
  expect(readFileSync(types, "utf8")).toContain("notes: {");
  await sql("insert into billing.notes values ('2026-1', 'Paid')");
  const token = (await run("token", "alice@example.com")).stdout.trim();
  const answer = await fetch(`${stack.url}/notes?select=body`, {
    headers: { authorization: `Bearer ${token}`, "accept-profile": "billing" },
  });
  expect(await answer.json()).toEqual([{ body: "Paid" }]);

  // What cannot be built, and what would lose rows.
  const broken = await printsNext(/\[declaration_failed\][^\n]*\n[^\n]*\n/, () =>
    edit("sql/tables.sql", "body text)", "body texts)"),
  );
  expect(broken).toMatch(/sql\/tables\.sql.*type "texts" does not exist/);
  await printsNext(/Resolved/, () => edit("sql/tables.sql", "body texts)", "body text)"));
  const refused = await printsNext(/\[step_refused\][\s\S]*--allow-drop/, () =>
    edit("sql/tables.sql", ", body text)", ")"),
  );
  expect(refused).toContain("drops the column billing.notes.body");
  await printsNext(/Resolved/, () =>
    edit(
      "sql/tables.sql",
      "references billing.invoices)",
      "references billing.invoices, body text)",
    ),
  );
  expect(await sql("select body from billing.notes")).toEqual([{ body: "Paid" }]);
  expect(await sql("select amount from billing.invoices")).toEqual([{ amount: "12.50" }]);
  await stack.end();
});
