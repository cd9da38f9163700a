import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** The project that the tests run in: the top level of this repository. */
export const projectRoot = join(import.meta.dirname, "../../../..");

/** Its migrations. */
export const migrationsDir = join(projectRoot, "db", "migrations");

/** The built rowhouseCommand. */
export const rowhouseCommand = join(import.meta.dirname, "../../dist/main.js");

/** The migration files of the project, in order. */
export const migrationFiles = readdirSync(migrationsDir).sort();

/** What the command reads and writes of a project. */
const parts = [
  "client",
  "db",
  "docs",
  "policies",
  "sql",
  "tests",
  "package.json",
  "postgrest.conf",
];

/** A copy of the project to edit; it ends with the test. */
export function copyProject(): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-project-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const part of parts) {
    cpSync(join(projectRoot, part), join(dir, part), {
      recursive: true,
      filter: (path) => !path.endsWith("/node_modules"),
    });
  }
  symlinkSync(join(projectRoot, "node_modules"), join(dir, "node_modules"));
  return dir;
}

/** Puts one text of a project's file in the place of another, which has to be there. */
export function editFile(project: string, file: string, from: string, to: string): void {
  const path = join(project, file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}
