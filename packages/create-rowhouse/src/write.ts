import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { CreateError, reason } from "./errors.ts";
import type { Target } from "./target.ts";

/** In the template, a leading dot is written as this: npm packs no .gitignore. */
const dot = "dot-";

/**
 * Writes a project: first whole into a temporary folder beside the target, which then takes its
 * place, so that a failure leaves nothing half-done.
 *
 * All of it is synchronous: no signal that is handled can interrupt it.
 *
 * @param template The folder of the template.
 * @throws CreateError when something cannot be written; nothing is left then.
 */
export function writeProject(template: string, target: Target): void {
  const parent = dirname(target.folder);
  // A folder that is there is kept, since a shell may be in it: its draft is made inside.
  const draft = join(target.exists ? target.folder : parent, `.create-rowhouse-${suffix()}`);
  let firstFolder: string | undefined;
  try {
    firstFolder = mkdirSync(parent, { recursive: true });
    copyTemplate(template, draft);
    setName(draft, target.packageName);
    if (target.exists) moveEntries(draft, target.folder);
    else moveFolder(draft, target.folder);
  } catch (error) {
    if (firstFolder !== undefined) removeFolder(firstFolder);
    throw new CreateError(
      `Cannot write the project to ${target.folder}: ${reason(error)}.`,
      "Fix this and try again: nothing of the project was left there.",
      { cause: error },
    );
  } finally {
    removeFolder(draft);
  }
}

function suffix(): string {
  return randomBytes(4).toString("hex");
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function copyTemplate(template: string, draft: string): void {
  cpSync(template, draft, { recursive: true });
  for (const path of readdirSync(draft, { recursive: true, encoding: "utf8" })) {
    const name = basename(path);
    if (!name.startsWith(dot)) continue;
    const plain = join(dirname(path), `.${name.slice(dot.length)}`);
    renameSync(join(draft, path), join(draft, plain));
  }
}

/** Writes the name of the project into its package.json and README.md. */
function setName(draft: string, name: string): void {
  const [packageFile, readme] = [join(draft, "package.json"), join(draft, "README.md")];
  const content = { ...JSON.parse(readFileSync(packageFile, "utf8")), name };
  writeFileSync(packageFile, `${JSON.stringify(content, null, 2)}\n`);
  writeFileSync(readme, readFileSync(readme, "utf8").replace(/^# .*/, `# ${name}`));
}

function moveFolder(draft: string, folder: string): void {
  // Without this, rename() would replace an empty folder that is not ours.
  if (existsSync(folder)) throw new Error("it was created in the meantime");
  renameSync(draft, folder);
}

function moveEntries(draft: string, folder: string): void {
  const moved: string[] = [];
  try {
    for (const entry of readdirSync(draft)) {
      renameSync(join(draft, entry), join(folder, entry));
      moved.push(entry);
    }
  } catch (error) {
    for (const entry of moved) removeFolder(join(folder, entry));
    throw error;
  }
}
