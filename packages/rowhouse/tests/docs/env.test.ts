import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { variableNames } from "../../src/stack/settings.ts";
import { projectRoot } from "../support/project.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const example = read(".env.example");

/** The machine's own, and what one program of ours hands to another. */
const foreign = new Set([
  "PATH",
  "TERM",
  "NO_COLOR",
  "FORCE_COLOR",
  "API_URL",
  "VITE_API_URL",
  "VITE_AUTH_URL",
  "DEV",
  "VITE_TOKEN",
  "DATABASE_HOST",
  "NODE_EXTRA_CA_CERTS",
  "VITEST_POOL_ID",
  "TMPDIR",
  "XDG_CACHE_HOME",
]);

/** What only the tests of this repository read: CONTRIBUTING.md explains them. */
const contributors = ["CHROMIUM_PATH", "PGBOUNCER_BIN", "TEST_REQUESTS", "TEST_SEED"];

function sources(): string {
  return ["packages", "examples", "tests"]
    .flatMap((dir) =>
      readdirSync(join(projectRoot, dir), { recursive: true, encoding: "utf8" }).map((file) =>
        join(dir, file),
      ),
    )
    .filter((file) => /\.(ts|js)$/.test(file) && !/\/(node_modules|dist)\//.test(file))
    .map(read)
    .join("\n");
}

function variablesRead(): string[] {
  const inCode = [
    ...sources().matchAll(/\benv\.([A-Z_]{3,})|\{([^{}]*)\} = process\.env\b/g),
  ].flatMap(([, name, names = ""]) => name ?? names.match(/\b[A-Z_]{3,}\b/g) ?? []);
  const overrides = readdirSync(join(projectRoot, "compose/scale"))
    .filter((file) => file.endsWith(".yml"))
    .map((file) => `compose/scale/${file}`);
  const inCompose = ["docker-compose.yml", ...overrides].flatMap((file) =>
    [...read(file).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? ""),
  );
  const all = new Set([...variableNames, ...inCode, ...inCompose]);
  return [...all].filter((name) => !foreign.has(name)).sort();
}

test(".env.example holds every variable that is read, and no other", () => {
  expect([...Object.keys(parseEnv(example)), ...contributors].sort()).toEqual(variablesRead());
});

test("CONTRIBUTING.md names the variables that only the tests of this repository read", () => {
  for (const name of contributors) expect(read("CONTRIBUTING.md")).toContain(`\`${name}\``);
});

test(".env.example has one comment for each variable, and no secret", () => {
  const lines = example.split("\n");
  lines.forEach((line, number) => {
    if (!/^[A-Z_]+=/.test(line)) return;
    expect(lines[number - 1], line).toMatch(/^# \S/);
    expect(line).toMatch(/^[A-Z_]+=$/);
  });
});
