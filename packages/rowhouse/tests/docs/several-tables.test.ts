import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type Caller, claimsFor, sign, signIn, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { errorAnswer, newId, readRows } from "../../src/testing/requests.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { withoutOwnStack } from "../support/environment.ts";
import { copyProject, projectRoot } from "../support/project.ts";

const page = readFileSync(join(projectRoot, "docs/several-tables.md"), "utf8");
const run = promisify(execFile);

/** What a reader does, in the page's order: write a file that it shows, or run a command. */
type Step = { readonly path: string; readonly text: string } | { readonly command: string };

const steps = [...page.matchAll(/`([\w/.]+)`:\n\n```sql\n(.*?)```|```sh\n(.*?)```/gs)].flatMap(
  ([, path = "", text = "", commands]): Step[] =>
    commands === undefined
      ? [{ path, text }]
      : commands
          .trim()
          .split("\n")
          .map((command) => ({ command })),
);

/** The page's TypeScript as a function, with what its comments say each line prints. */
const code = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block).join("\n");
const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
const story = `
import { createRowhouse, InvalidError, UnavailableError, uuidv7 } from "./client/index.ts";

export async function story(url: string, token: string, print: (line: string) => void) {
  const console = { log: (...values: unknown[]) => print(values.join(" ")) };
  const db = createRowhouse({ url, token });
${code}
  // @ts-expect-error A name of a column that the type does not have.
  void (() => db.rpc("add_note", { ...standup, new_tasks: [{ id: uuidv7(), titel: "x" }] }));
}
`;

test("each file and command of the page works after those before it, and its code runs", async () => {
  const project = copyProject();
  writeConfigs(project);
  const url = await cloneDatabase();
  expect(steps.length).toBeGreaterThan(10);
  for (const step of steps) {
    if ("path" in step) writeFileSync(join(project, step.path), step.text);
    else await runCommand(step.command, project, url);
  }

  writeFileSync(join(project, "story.ts"), story);
  await run(join(projectRoot, "node_modules/.bin/tsc"), ["--noEmit"], { cwd: project }).catch(
    ({ stdout }) => expect(stdout).toBe(""),
  );
  const api = await startApi(url);
  try {
    const alice = await signIn(api);
    const printed: string[] = [];
    const { story } = await import(join(project, "story.ts"));
    await story(api.url, sign(claimsFor(alice.id)), (line: string) => printed.push(line));
    expect(printed).toEqual(promised);
    expect(printed).toHaveLength(4);
    await sendAtOnce(await signIn(api));
  } finally {
    await api.stop();
  }
}, 240_000);

/** The same call several times at once is one note; once the note has changed, it is a conflict. */
async function sendAtOnce(user: Caller): Promise<void> {
  const new_tasks = [{ id: newId(), title: "Write the report" }];
  const body = { note_id: newId(), note_title: "Standup", new_tasks };
  const send = () => user.ask("/rpc/add_note", { method: "POST", body });
  const answers = await Promise.all(Array.from({ length: 8 }, send));
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
  expect(await readRows(user, "/tasks?select=id,title")).toEqual(new_tasks);

  await user.ask(`/notes?id=eq.${body.note_id}`, { method: "PATCH", body: { title: "Daily" } });
  expect(await send()).toMatchObject(errorAnswer(409, "23505", { details: "note_id_taken" }));
}

async function runCommand(command: string, project: string, url: string): Promise<void> {
  const [, program = "", ...args] = command.split(" ");
  if (program === "rowhouse") {
    const on = ["migrate", "types"].includes(args[0] ?? "") ? { DATABASE_URL: url } : {};
    const outcome = await rowhouse(args, { ROWHOUSE_HOME: newHome(), ...on }, project);
    expect(outcome, `${command}\n${outcome.stderr}`).toMatchObject({ code: 0 });
    return;
  }
  const binary = join(projectRoot, "node_modules/.bin", program);
  expect(existsSync(binary), command).toBe(true);
  // Not on the server of these tests: another run there gives authenticator another password.
  const env = withoutOwnStack({ TEST_DATABASE_URL: undefined });
  await run(binary, args, { cwd: project, env }).catch(({ stdout, stderr }) =>
    expect(`${stdout}${stderr}`, command).toBe(""),
  );
}

/** What the copy lacks: Vitest's settings, and the compiler's. */
function writeConfigs(project: string): void {
  const config = readFileSync(join(projectRoot, "vitest.config.ts"), "utf8");
  writeFileSync(join(project, "vitest.config.ts"), config);
  const base = join(projectRoot, "tsconfig.base.json");
  const types = { typeRoots: [join(projectRoot, "node_modules/@types")] };
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ extends: base, compilerOptions: types, include: ["client", "story.ts"] }),
  );
}
