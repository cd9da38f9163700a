import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspect } from "../../src/access/model/inspect.ts";
import { readAccess, type Verb } from "../../src/access/model/model.ts";
import { formatCell, getCell } from "../../src/access/page/cells.ts";
import { accessFiles } from "../../src/access/page/files.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { emptyDatabase } from "../../src/testing/database.ts";
import { readyHome, rowhouse } from "../support/cli.ts";
import { projectRoot } from "../support/project.ts";

const committed = ["docs/access.md", "docs/access.svg"].map((file) => join(projectRoot, file));

let url: string;
let client: pg.Client;

beforeAll(async () => {
  url = await emptyDatabase();
  await buildDeclared(url);
  client = new pg.Client({ connectionString: url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
});

/** The model after a change, which is undone. */
async function modelAfter(change: string) {
  await client.query("begin");
  try {
    await client.query(change);
    return await readAccess(client);
  } finally {
    await client.query("rollback");
  }
}

/** The page and the picture after a change, which is undone. */
async function filesAfter(change: string) {
  const [page, picture] = accessFiles(await modelAfter(change), "access.md");
  return { page: page.content, picture: picture.content };
}

test("the committed page and picture tell of the declared database", async () => {
  const model = await inspect(url, readAccess);
  for (const { path, content } of accessFiles(model, committed[0] ?? "")) {
    expect(content).toBe(readFileSync(path, "utf8"));
  }
});

const open = "alter table api.tasks enable row level security";
const noPolicies = `
  drop policy select_own on api.tasks;
  drop policy insert_own on api.tasks;
  drop policy update_own on api.tasks;
  drop policy delete_own on api.tasks`;

test.each<[string, string, "anonymous" | "authenticated", Verb, string, string]>([
  ["what is declared", open, "authenticated", "select", "user_id = request.user_id()", "some"],
  ["no grant", open, "anonymous", "select", "nothing", "closed"],
  [
    "no row-level security",
    "alter table api.tasks disable row level security",
    "authenticated",
    "update",
    "every row",
    "every",
  ],
  ["no policy", noPolicies, "authenticated", "delete", "no row", "closed"],
  [
    "no policy for the verb beside one for select",
    "drop policy delete_own on api.tasks",
    "authenticated",
    "delete",
    "no row",
    "closed",
  ],
  [
    "two permissive policies",
    "create policy shared on api.tasks for select to authenticated using (title = 'ours' and completed)",
    "authenticated",
    "select",
    "user_id = request.user_id() or (title = 'ours' and completed)",
    "some",
  ],
  [
    "a policy that lets all pass",
    "create policy shared on api.tasks for select to authenticated using (true)",
    "authenticated",
    "select",
    "every row",
    "every",
  ],
  [
    "a restrictive policy",
    "create policy unfinished on api.tasks as restrictive to authenticated using (completed or title = 'x')",
    "authenticated",
    "delete",
    "user_id = request.user_id() and (completed or title = 'x')",
    "some",
  ],
  [
    "nothing but a restrictive policy",
    `${noPolicies}; create policy none on api.tasks as restrictive to authenticated using (true)`,
    "authenticated",
    "select",
    "no row",
    "closed",
  ],
  [
    "a policy to public for all, and a grant to anonymous",
    `create policy everybody on api.tasks to public using (completed);
     grant usage on schema api to anonymous;
     grant insert (title) on api.tasks to anonymous`,
    "anonymous",
    "insert",
    "completed",
    "some",
  ],
  [
    "a row that may become another's",
    "alter policy update_own on api.tasks with check (completed)",
    "authenticated",
    "update",
    "user_id = request.user_id(); becoming completed",
    "some",
  ],
  [
    "what goes without a filter, also of rows that cannot be read",
    "alter policy select_own on api.tasks using (completed)",
    "authenticated",
    "delete",
    "user_id = request.user_id()",
    "some",
  ],
  [
    "a row that may become anything",
    `alter policy select_own on api.tasks using (true);
     alter policy update_own on api.tasks with check (true)`,
    "authenticated",
    "update",
    "user_id = request.user_id(); becoming anything",
    "some",
  ],
])("a reader sees %s", async (_, change, role, verb, text, reach) => {
  const { relations } = await modelAfter(change);
  const tasks = relations.find(({ name }) => name === "tasks");
  const cell = tasks && getCell(tasks, role, verb);
  expect(cell && { text: formatCell(cell), reach: cell.reach }).toEqual({ text, reach });
});

const awkward = `
  create table api."Odd|\`Table" ("a ""b""" text, "c<&>" text);
  alter table api."Odd|\`Table" enable row level security;
  comment on table api."Odd|\`Table" is E'# One | two \`three\` <b>four</b> *five* _six_ seven_eight\\n\\nnine \\\\';
  grant select, insert on api."Odd|\`Table" to authenticated;
  create policy "p|\`q" on api."Odd|\`Table" as restrictive to public
  using ("c<&>" = E'\`x | y\\n  <z>&\`' or "a ""b""" ~ 'a|b');
  comment on policy "p|\`q" on api."Odd|\`Table" is '[a](b) | c';
  create policy q on api."Odd|\`Table" using (true);
  create view api.titles as select title from api.tasks;
  grant select on api.titles to authenticated, anonymous;
  create function api."Do It"(what text) returns text language sql security definer return what;
  grant execute on function api."Do It" to authenticated`;

test("a reader of the page sees names, conditions and comments as they are", async () => {
  const { page } = await filesAfter(awkward);
  const lines = page.split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      '## ``api."Odd\\|`Table"``',
      "\\# One \\| two \\`three\\` \\<b\\>four\\</b\\> \\*five\\* \\_six\\_ seven_eight nine \\\\",
      '| select | nothing | ``"c<&>" = \'`x \\| y↵  <z>&`\' or "a ""b""" ~ \'a\\|b\'`` |',
      '| `"a ""b"""` | text | authenticated | authenticated | |',
      '| ``"p\\|`q"`` | all, restrictive | public | \\[a\\](b) \\| c |',
      "Row-level security is on, but **not for the owner**.",
      "| select | nothing | every row |",
      "| `title` | text | anonymous, authenticated | | |",
      "**anonymous has grants here**, but may not use the schema.",
      '| `api."Do It"(what text)` | authenticated | **its owner** | the caller\'s | volatile | |',
    ]),
  );
  expect(page).toMatch(
    /^A view that \*\*reads with its owner's rights\*\*, past the caller's policies\.$/m,
  );
});

test("a reader sees with whose rights views and functions work, and what is foreign", async () => {
  const { page, picture } = await filesAfter(`${awkward};
    create view api.asks with (security_invoker = yes) as select title from api.tasks;
    grant select on api.asks to authenticated;
    create foreign data wrapper far;
    create server far foreign data wrapper far;
    create foreign table api.far () server far`);
  expect(page).toMatch(
    /^A view that reads with the caller's rights: the policies of its tables apply\.$/m,
  );
  expect(page).toContain("| select | nothing | as its tables allow |");
  expect(page).toContain("A foreign table: **it knows no row-level security**.");
  expect(picture).toContain("<title>may call it, with its owner's rights</title>");
});

test("a table of the page has as many cells in each row as in its head", async () => {
  const { page } = await filesAfter(awkward);
  const tables = page
    .trim()
    .split("\n\n")
    .filter((block) => block.startsWith("|"));
  expect(tables.length).toBeGreaterThan(8);
  for (const table of tables) {
    const cells = table.split("\n").map((line) => line.match(/(?<!\\)\|/g)?.length);
    expect(new Set(cells).size).toBe(1);
  }
});

test("the picture is sound XML, whatever names and conditions hold", async () => {
  const { picture } = await filesAfter(awkward);
  expect(picture.replace(/<[^<>]+>/g, "")).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/);
  const tags = [...picture.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)];
  const names = (close: string) =>
    tags.filter((tag) => tag[1] === close && tag[3] === "").map(([, , name]) => name);
  expect(names("").sort()).toEqual(names("/").sort());
  expect(picture).toContain("<title>&quot;c&lt;&amp;&gt;&quot; = ");
});

test("rowhouse access --check finds stale files, and writes nothing", async () => {
  const env = { ROWHOUSE_HOME: readyHome() };
  const page = join(dirname(env.ROWHOUSE_HOME), "deep", "who.md");
  const access = (...args: string[]) =>
    rowhouse(["access", "--against", url, "--output", page, ...args], env);

  expect((await access()).stdout).toMatch(/^wrote .*who\.md, .*who\.svg\n$/);
  expect(readFileSync(page, "utf8")).toContain("](who.svg)");
  writeFileSync(page.replace("md", "svg"), "edited by hand");
  const { code, stderr } = await access("--check");
  expect(code).toBe(1);
  expect(stderr).toMatch(/\[access_stale\] .*who\.svg is out of date\.\n/);
  expect(readFileSync(page.replace("md", "svg"), "utf8")).toBe("edited by hand");
});
