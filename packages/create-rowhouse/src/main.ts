#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { CreateError, reason } from "./errors.ts";
import {
  createCommand,
  detectPackageManager,
  installAndStart,
  type PackageManager,
} from "./package-manager.ts";
import { defaultName } from "./package-name.ts";
import { shellQuote } from "./shell-quote.ts";
import { checkTarget } from "./target.ts";
import { writeProject } from "./write.ts";

const packageRoot = join(import.meta.dirname, "..");

// Writing takes milliseconds and is not interrupted: these end the process before or after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}

try {
  await main(process.argv.slice(2), detectPackageManager(process.env.npm_config_user_agent));
} catch (error) {
  process.exitCode = 1;
  printFailure(error);
}

async function main(args: readonly string[], manager: PackageManager): Promise<void> {
  const { values, positionals } = parse(args, manager);
  if (values.help) return print(help(manager));
  if (values.version) return print(version());
  if (positionals.length > 1) throw usage(`Give one folder, not ${positionals.length}.`, manager);
  const target = checkTarget(positionals[0] ?? (await askForFolder(manager)), process.cwd());
  writeProject(join(packageRoot, "template"), target);
  print(nextSteps(target.folder, manager));
}

function parse(args: readonly string[], manager: PackageManager) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", short: "v", default: false },
      },
    });
  } catch (error) {
    throw usage(reason(error), manager);
  }
}

/** Asks on a terminal; elsewhere no one can answer. */
async function askForFolder(manager: PackageManager): Promise<string> {
  if (!process.stdin.isTTY) throw usage("Give the folder to create the project in.", manager);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on("SIGINT", () => process.exit(130));
  try {
    const answer = await terminal.question(`Folder of the project (${defaultName}): `);
    return answer.trim() || defaultName;
  } finally {
    terminal.close();
  }
}

function usage(fault: string, manager: PackageManager): CreateError {
  return new CreateError(fault, `Usage: ${createCommand(manager, "<folder>")}`);
}

function help(manager: PackageManager): string {
  return [
    `Usage: ${createCommand(manager, "[folder]")}`,
    "",
    "Creates a Rowhouse project: PostgreSQL with row-level security, served as REST by PostgREST,",
    "with migrations, tests and a typed client.",
    "",
    `The folder must be new or empty; "." is the current one. On a terminal it is asked for when left`,
    `out, and is ${defaultName} unless you say otherwise.`,
    "",
    "Options:",
    "  -h, --help     print this",
    "  -v, --version  print the version",
  ].join("\n");
}

function version(): string {
  return String(JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")).version);
}

function nextSteps(folder: string, manager: PackageManager): string {
  const path = relative(process.cwd(), folder);
  return [
    `Created a Rowhouse project in ${folder}. Next:`,
    "",
    ...(path === "" ? [] : [`  cd ${shellQuote(path)}`]),
    `  ${installAndStart(manager)}`,
  ].join("\n");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printFailure(error: unknown): void {
  process.stderr.write(`error: ${reason(error)}\n`);
  const remedy =
    error instanceof CreateError ? error.remedy : "This is a fault in create-rowhouse: report it.";
  process.stderr.write(`${remedy}\n`);
}
