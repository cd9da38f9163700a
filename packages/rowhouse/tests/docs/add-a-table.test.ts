import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { signIn, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject, projectRoot } from "../support/project.ts";

const page = readFileSync(join(projectRoot, "docs/add-a-table.md"), "utf8");

/** Every command of the page, in order, as arguments of `rowhouse`. */
const commands = [...page.matchAll(/^npx rowhouse (.+)$/gm)].map(([, args = ""]) =>
  args.split(" "),
);

test("each command of the page works after those before it, and the API serves the table", async () => {
  const project = copyProject();
  const url = await cloneDatabase();
  const api = await startApi(url);
  try {
    expect(commands.length).toBeGreaterThan(7);
    for (const args of commands) {
      const on = ["migrate", "types"].includes(args[0] ?? "") ? { DATABASE_URL: url } : {};
      const outcome = await rowhouse(args, { ROWHOUSE_HOME: newHome(), ...on }, project);
      expect(outcome, `${args.join(" ")}\n${outcome.stderr}`).toMatchObject({ code: 0 });
    }
    const [alice, bob] = [await signIn(api), await signIn(api)];
    const create = () => alice.ask("/notes", { method: "POST", body: { title: "Hello" } });
    await expect.poll(async () => (await create()).status).toBe(201);
    expect(await alice.ask("/notes?select=title")).toMatchObject({
      status: 200,
      body: [{ title: "Hello" }],
    });
    expect(await bob.ask("/notes?select=title")).toMatchObject({ status: 200, body: [] });
  } finally {
    await api.stop();
  }
}, 240_000);
