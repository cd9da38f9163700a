import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { createRunner, homes, newFolder } from "./run.ts";

const { run, spawnWith } = createRunner("src/main.ts");
const questions = ["first page", "page in the middle", "filter, 1 in 1,000", "count()"];

test("prints the table with a line for each user and question, and removes its database", async () => {
  const folder = newFolder();
  const { code, out, err } = await run(["--rows", "2000", "--repetitions", "3"], folder);
  expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining("2,000 of 2,000") });
  const cells = out
    .split("\n")
    .filter((line) => line.startsWith("| 2,000 |"))
    .map((line) => line.split(" | "));
  expect(cells.map(([, user, question]) => [user, question])).toEqual(
    questions.map((question) => ["500", question]),
  );
  for (const [, , question, ...numbers] of cells) {
    const wanted = question === "count()" ? 1 : 5;
    expect(numbers.filter((cell) => /^[\d.,]+( \([\d.,]+\))?( \|)?$/.test(cell))).toHaveLength(
      wanted,
    );
  }
  expect(homes(folder)).toEqual([]);
});

test("prints JSON with all summaries, of a user with a tenth of the tasks too, and keeps its database", async () => {
  const folder = newFolder();
  const args = ["--rows", "6000", "--repetitions", "3", "--json", "--keep"];
  const { code, out, err } = await run(args, folder);
  expect(code, err).toBe(0);
  const { results } = JSON.parse(out);
  expect(
    results.map(({ rows, userRows, question }: Record<string, unknown>) => [
      rows,
      userRows,
      question,
    ]),
  ).toEqual([500, 600].flatMap((user) => questions.map((question) => [6000, user, question])));
  for (const { question, client, plain, counted, ratios } of results) {
    const summaries = question === "count()" ? [client] : [client, plain, counted];
    for (const summary of summaries) expect(summary).toMatchObject({ samples: 3, failures: 0 });
    if (question !== "count()") expect(ratios.counted).toBe(counted.medianMs / plain.medianMs);
  }
  expect(homes(folder)).toHaveLength(1);
  expect(err).toContain(`kept in ${join(folder, homes(folder)[0] ?? "")}`);
});

test("removes its database after Ctrl-C", async () => {
  const folder = newFolder();
  const { stdout, stderr, child, ended } = spawnWith(["--rows", "9000000"], folder);
  let printed = "";
  for await (const chunk of stderr) {
    printed += chunk;
    if (printed.includes("loaded 100,000 of")) child.kill("SIGINT");
  }
  expect(await ended).toBe(130);
  expect(printed).toMatch(/Interrupted\.\n$/);
  expect(await text(stdout)).toBe("");
  expect(homes(folder)).toEqual([]);
});

test("lists its options, and says what is wrong with others", async () => {
  const help = await run(["--help"]);
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining("--rows <n>") });
  for (const args of [["--rows", "many"], ["--rows", "999"], ["--row", "2000"], ["2000"]]) {
    expect(await run(args)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/^error \[options_invalid\] .*\n.*--help/),
    });
  }
});
