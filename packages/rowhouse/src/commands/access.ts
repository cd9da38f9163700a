import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { AccessFile } from "../access/page/files.ts";
import { RowhouseError } from "../lib/errors.ts";
import { print } from "../lib/output.ts";
import { openProject } from "../lib/project.ts";
import { parseDatabaseUrl } from "./options.ts";

interface Options {
  readonly output?: string;
  readonly check?: true;
  readonly against?: string;
  readonly json?: true;
}

/** `rowhouse access` */
export const accessCommand = new Command("access")
  .description("write who can do what to docs/access.md, with a picture")
  .option("-o, --output <file>", "where the page goes, and the picture beside it", parsePage)
  .option("--check", "write nothing; fail when the page or the picture is stale")
  .option("--against <url>", "read this database instead, and print the page", parseDatabaseUrl)
  .addOption(new Option("--json", "print it for programs").conflicts(["check", "output"]))
  .addHelpText(
    "after",
    "\nIt describes the database that sql/ and policies/ declare.\nThe exit code is 1 when --check finds a stale file.",
  )
  .action(async ({ output, check, against, json }: Options) => {
    const { inspect } = await import("../access/model/inspect.ts");
    const { readAccess } = await import("../access/model/model.ts");
    const model = await inspect(against, readAccess);
    if (json) return print(JSON.stringify(model, null, 2));
    const { accessFiles } = await import("../access/page/files.ts");
    const files = accessFiles(model, output ?? join(openProject().root, "docs/access.md"));
    if (check) return assertCurrent(files, against);
    // The committed page is about the declared database; another one's is for reading.
    if (against && !output) return print(files[0].content.trimEnd());
    write(files);
  });

function parsePage(value: string): string {
  if (value.endsWith(".md")) return value;
  throw new InvalidArgumentError('Give a file that ends with ".md".');
}

function assertCurrent(files: readonly AccessFile[], against: string | undefined): void {
  const stale = files.filter((file) => !isCurrent(file));
  if (stale.length === 0) {
    print(`${shown(files, "and")} are current.`);
    return;
  }
  throw new RowhouseError(
    "access_stale",
    `${shown(stale, "and")} ${stale.length > 1 ? "are" : "is"} out of date.`,
    against
      ? "Access differs there. See how: `npx rowhouse access --against <url> | diff docs/access.md -`."
      : "Run `npx rowhouse access`, review the difference, and commit it.",
  );
}

function write(files: readonly AccessFile[]): void {
  if (files.every(isCurrent)) {
    print(`${shown(files, "and")} are current.`);
    return;
  }
  for (const { path, content } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  print(`wrote ${shown(files)}`);
}

function isCurrent({ path, content }: AccessFile): boolean {
  return existsSync(path) && readFileSync(path, "utf8") === content;
}

function shown(files: readonly AccessFile[], word?: "and"): string {
  const paths = files.map(({ path }) => relative(process.cwd(), path));
  return paths.join(word ? ` ${word} ` : ", ");
}
