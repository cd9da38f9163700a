import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { operations } from "../src/compare/actions.ts";
import { OptionsError, parseOptions } from "../src/compare/options.ts";
import { createRunner, homes, newFolder } from "./run.ts";

const { run, spawnWith } = createRunner("src/compare/main.ts");
const names = operations.map(({ name }) => name);
const short = ["--quick", "--rounds", "1", "--seconds", "0.1", "--no-install"];
const only = (...chosen: string[]) => chosen.flatMap((name) => ["--only", name]);

test("compares what needs no installation at every operation, and removes its database", async () => {
  const [folder, output] = [newFolder(), newFolder()];
  const compared = ["rowhouse", "rowhouse-bare", "client", "fetch"];
  const args = [...short, ...only(...compared), "--output", output];
  const { code, out, err } = await run(args, folder);
  expect(code, err).toBe(0);
  const report = JSON.parse(readFileSync(join(output, "latest.json"), "utf8"));
  expect(Object.keys(report.ratios)).toEqual(names);
  for (const name of names) {
    expect(Object.keys(report.ratios[name])).toEqual(compared);
    expect(report.ratios[name].rowhouse).toBe(1);
    expect(out).toContain(`### ${name}\n`);
  }
  expect(out).toContain(`| rowhouse | ${names.map(() => "1.00").join(" | ")} |\n`);
  for (const result of report.results) {
    const { median, min, max } = result.perSecond;
    expect(median, JSON.stringify(result)).toBeGreaterThan(0);
    expect(min <= median && median <= max).toBe(true);
    expect(result).toMatchObject({ failures: 0, p99Ms: { median: expect.any(Number) } });
  }
  expect(report).toMatchObject({ rows: [10_000], rounds: 1, connections: 16, commands: {} });
  expect(report.bars.map(({ over }: { over: string }) => over)).toEqual(["rowhouse", "client"]);
  expect(readdirSync(output).sort()).toEqual(
    ["latest.json", ...names.map((name) => `${name}.svg`)].sort(),
  );
  expect(homes(folder)).toEqual([]);
});

test("leaves out peers that are not there, where none may be installed", async () => {
  const output = newFolder();
  const args = [...short, ...only("get", "rowhouse-many"), "--output", output, "--json"];
  const { code, out, err } = await run(args);
  expect(code, err).toBe(0);
  expect(err).toContain("left out: rowhouse-many");
  expect(Object.keys(JSON.parse(out).ratios.get)).toEqual(["rowhouse"]);
});

test("removes its database after Ctrl-C, and writes nothing", async () => {
  const [folder, output] = [newFolder(), newFolder()];
  const args = [
    "--quick",
    "--no-install",
    ...only("rowhouse", "rowhouse-bare"),
    "--output",
    output,
  ];
  const { stdout, stderr, child, ended } = spawnWith(args, folder);
  let printed = "";
  for await (const chunk of stderr) {
    printed += chunk;
    if (printed.includes("list: round 1 of 3")) child.kill("SIGINT");
  }
  expect(await ended).toBe(130);
  expect(printed).toMatch(/Interrupted\.\n$/);
  expect(await text(stdout)).toBe("");
  expect([homes(folder), readdirSync(output)]).toEqual([[], []]);
});

test("lists its options, and says what is wrong with others", async () => {
  const help = await run(["--help"]);
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining("--quick") });
  expect(await run(["--only", "laravel"])).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringMatching(/^error \[options_invalid\] .*laravel.*\n.*--help/),
  });
});

test.each([
  [["--rows", "999"]],
  [["--seconds", "0"]],
  [["--rounds", "1.5"]],
  [["--fast"]],
  [["list"]],
])("refuses %j", (args) => {
  expect(() => parseOptions(args)).toThrow(OptionsError);
});
