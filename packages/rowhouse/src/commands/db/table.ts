import { Command, InvalidArgumentError } from "commander";
import { note, printResult } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import { isTableName } from "../../schema/new-table/name.ts";
import { assertHasUsers, type TableKind, writeTable } from "../../schema/new-table/new-table.ts";

const help = `
Writes sql/api/<name>.sql, policies/<name>.sql and tests/database/<name>.sql: each row belongs to
one user. With --shared, several users reach a row, in the role that <name>_members gives them:
owner, editor or viewer. Edit the files, then run \`rowhouse db migration <name>\`. Nothing is written
when one of the files exists.`;

interface Options {
  readonly shared?: true;
  readonly json?: true;
}

/** `rowhouse db table <name>` */
export const tableCommand = new Command("table")
  .description("write the files of a new table: the table, its policies and its tests")
  .argument("<name>", "the table in lower case, like notes", parseName)
  .option("--shared", "rows that several users share, and a table of their members")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action((name: string, { shared, json }: Options) => {
    const kind: TableKind = shared ? "shared" : "owned";
    const project = openProject();
    assertHasUsers(project);
    const files = writeTable(project, name, kind);
    printResult({ files }, json, () => files.map((file) => `wrote ${file}`));
    if (!json) note(`Edit them, then run \`npx rowhouse db migration ${name}\`.`);
  });

function parseName(value: string): string {
  if (isTableName(value)) return value;
  throw new InvalidArgumentError(
    "Use lower-case letters, digits and underscores, at most 40, and no word that SQL reserves.",
  );
}
