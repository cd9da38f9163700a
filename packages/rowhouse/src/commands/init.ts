import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { note, noteIfSlow, printResult } from "../lib/output.ts";
import type { DraftProject } from "../schema/init/init.ts";
import { withoutPassword } from "../stack/database.ts";
import { withScratchPair } from "../stack/scratch.ts";
import { parseDatabaseUrl } from "./options.ts";

interface Options {
  readonly from: string;
  readonly platform?: string;
  readonly schemas?: readonly string[];
  readonly anonRole?: string;
  readonly preRequest?: string | false;
  readonly login?: string;
  readonly json?: true;
}

const help = `
It only reads, no row and no password, and writes sql/, policies/, one migration, the client's types and
docs/access.md into the working directory, which has to be empty. What is left out
is named, and README.md lists it. The exit code is 1 when what was written builds something else.`;

/** `rowhouse init` */
export const initCommand = new Command("init")
  .description("make a project of a database that is there: PostgreSQL 15 to 18")
  .requiredOption("--from <url>", "the database; it is only read", parseDatabaseUrl)
  .addOption(
    new Option(
      "--platform <name>",
      "where it is, so that what is the platform's is left to it",
    ).choices(["supabase", "neon", "none"]),
  )
  .option("--schemas <names>", "the schemas that PostgREST serves, separated by commas", parseNames)
  .option("--anon-role <role>", "the role of a request without a token")
  .option("--pre-request <function>", "the function that runs before every request", parseFunction)
  .option("--no-pre-request", "there is no such function, whatever the database says")
  .option("--login <role>", "the role that PostgREST logs in as, where several have its settings")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(init);

async function init({ from, json, ...options }: Options): Promise<void> {
  const { withDraftFolder } = await import("../schema/init/folder.ts");
  const target = resolve();
  const project = await withDraftFolder(target, async (root, takesSignals) => {
    const { beginProject, writeProject } = await import("../schema/init/init.ts");
    beginProject(root, options.platform);
    // From here on the draft is the project, for all that looks for one.
    process.chdir(root);
    takesSignals();
    return withScratchPair(async (migrated, declared) => {
      const servers = { migrated, declared };
      const project = await noteIfSlow(
        `Reading ${withoutPassword(from)}, and building what was read ...`,
        writeProject(servers, { root, target, url: from }, options),
      );
      await writeGenerated(root, project);
      return project;
    });
  });
  await report(project, json);
}

/** The client's types and the page of access, of the declared database. */
async function writeGenerated(root: string, { declared, schemas }: DraftProject): Promise<void> {
  const { writeFiles } = await import("../schema/init/folder.ts");
  const { generateTypes } = await import("../schema/types.ts");
  const { catalogTimeout, withReadOnly } = await import("../access/model/session.ts");
  const { readAccess } = await import("../access/model/model.ts");
  const { accessFiles } = await import("../access/page/files.ts");
  const types = await generateTypes(declared, schemas);
  const model = await withReadOnly(declared, catalogTimeout, readAccess);
  const files = accessFiles(model, "docs/access.md");
  writeFiles(
    root,
    new Map([
      ["client/database.types.ts", types],
      ...files.map(({ path, content }) => [path, content] as const),
    ]),
  );
}

async function report(
  { file, schemas, notes, leftOut, difference }: DraftProject,
  json: true | undefined,
): Promise<void> {
  const { describeReport } = await import("../schema/init/readme.ts");
  const lines = json ? [] : describeReport({ notes, leftOut, difference });
  for (const line of lines) note(line);
  if (lines.length > 0) note("README.md lists it, too.");
  if (difference.missing.length + difference.surplus.length > 0) process.exitCode = 1;
  const result = { migration: `db/migrations/${file}`, schemas, notes, leftOut, difference };
  printResult(result, json, () => [
    `wrote sql/, policies/, db/migrations/${file}, client/, docs/access.md and postgrest.conf`,
    "Next, `npm install`. Then `npx rowhouse db adopt --against <url>` records the migration there as applied.",
  ]);
}

function parseFunction(value: string): string {
  if (value.trim() !== "") return value;
  throw new InvalidArgumentError("Give a function like auth.check, or --no-pre-request.");
}

function parseNames(value: string): string[] {
  const names = value.split(",").map((name) => name.trim());
  if (names.every((name) => name !== "")) return names;
  throw new InvalidArgumentError("Give names like api, or api,reports.");
}
