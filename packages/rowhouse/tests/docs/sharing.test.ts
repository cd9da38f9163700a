import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { explain } from "../../src/access/why/explain.ts";
import { why } from "../../src/access/why/why.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { claimsFor, sign, signIn, startApi } from "../../src/testing/api.ts";
import { emptyDatabase } from "../../src/testing/database.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject, editFile, projectRoot } from "../support/project.ts";

const teams = join(projectRoot, "examples/teams");
const page = readFileSync(join(projectRoot, "docs/sharing.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(
    ([, text = ""]) => text,
  );

/** What the page says that is printed: by the linter, and by why. */
const [finding = "", line = ""] = blocks("text").map((text) => text.trimEnd());

test("each command of the page works after those before it, and lint keeps the function safe", async () => {
  const project = copyProject();
  const commands = blocks("sh").join("").trim().split("\n");
  expect(commands.length).toBeGreaterThan(3);
  const run = (args: string) => rowhouse(args.split(" "), { ROWHOUSE_HOME: newHome() }, project);
  for (const command of commands) {
    const outcome = await run(command.replace(/^npx rowhouse /, ""));
    expect(outcome, `${command}\n${outcome.stderr}`).toMatchObject({ code: 0 });
  }
  editFile(project, "sql/request/is_member_of_lists.sql", "stable\n", "");
  const { code, stdout } = await run("lint");
  expect(code).not.toBe(0);
  expect(stdout).toContain(finding);
}, 240_000);

test("the SQL of the page is that of the example", () => {
  const named = [...page.matchAll(/`([\w/.]+\.sql)`|```sql\n(.*?)```/gs)];
  let file = "";
  let compared = 0;
  for (const [, path, text] of named) {
    if (path !== undefined) file = readFileSync(join(teams, path), "utf8");
    else {
      expect(file).toContain(text);
      compared += 1;
    }
  }
  expect(compared).toBe(9);
});

/** The page's TypeScript as a function, with what its comments say each line prints. */
const code = blocks("ts").join("\n");
const promised = [...code.matchAll(/(?:console\.log\(.*\)|tell)\)?; \/\/ (.*)/g)].map(
  ([, text]) => text,
);
const story = `
import { type ApiError, type Rowhouse, uuidv7 } from "./client/index.ts";

export async function story(alice: Rowhouse, bob: Rowhouse, print: (line: string) => void) {
  const console = { log: (...values: unknown[]) => print(values.join(" ")) };
${code}
}
`;

test("the TypeScript of the page compiles, and prints what it says", async () => {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-sharing-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  cpSync(join(teams, "client"), join(dir, "client"), { recursive: true });
  symlinkSync(join(projectRoot, "node_modules"), join(dir, "node_modules"));
  writeFileSync(join(dir, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(dir, "story.ts"), story);
  const compilerOptions = { typeRoots: [join(projectRoot, "node_modules/@types")] };
  writeFileSync(
    join(dir, "tsconfig.json"),
    JSON.stringify({ extends: join(projectRoot, "tsconfig.base.json"), compilerOptions }),
  );
  await promisify(execFile)(join(projectRoot, "node_modules/.bin/tsc"), ["--noEmit"], {
    cwd: dir,
  }).catch(({ stdout }) => expect(stdout).toBe(""));

  const url = await emptyDatabase();
  await buildDeclared(url, teams);
  const api = await startApi(url);
  onTestFinished(() => api.stop());
  const { createRowhouse } = await import(join(dir, "client/index.ts"));
  const [alice, bob] = [await signIn(api), await signIn(api)];
  const connect = ({ id }: { id: string }) =>
    createRowhouse({ url: api.url, token: sign(claimsFor(id)) });
  const printed: string[] = [];
  const tell = await import(join(dir, "story.ts"));
  await tell.story(connect(alice), connect(bob), (text: string) => printed.push(text));
  expect(printed).toEqual([...promised, promised.at(-1)]);
  expect(printed).toHaveLength(5);

  const [list] = (await connect(bob).lists.list()).items;
  const question = { as: bob.id, verb: "select", table: "lists", owner: null, row: null } as const;
  const answer = explain(await why(url, { ...question, id: list.id }), false);
  const pattern = line.replaceAll("…", "\\S+").replace("editor", "owner");
  expect(answer).toContainEqual(expect.stringMatching(new RegExp(`^${pattern}$`)));
}, 60_000);
