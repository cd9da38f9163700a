import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readAccess } from "../../../access/model/model.ts";
import { catalogTimeout, withReadOnly } from "../../../access/model/session.ts";
import { accessFiles } from "../../../access/page/files.ts";
import { openProject } from "../../../lib/project.ts";
import { buildDeclared } from "../../../schema/catalog/declared.ts";
import { generateTypes } from "../../../schema/types.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** Generated files that are not what sql/ and policies/ declare. */
export async function checkGenerated(
  { scratch }: Pick<DoctorContext, "scratch">,
  project = openProject(),
): Promise<Finding[]> {
  const { root, typesFile } = project;
  const url = await scratch.create();
  try {
    await buildDeclared(url, root);
    const model = await withReadOnly(url, catalogTimeout, readAccess, project);
    const types = {
      path: typesFile,
      content: await generateTypes(url),
    };
    return [
      ...staleFinding(types, "npx rowhouse types", root),
      ...accessFiles(model, join(root, "docs/access.md")).flatMap((file) =>
        staleFinding(file, "npx rowhouse access", root),
      ),
    ];
  } finally {
    await scratch.drop(url);
  }
}

function staleFinding(
  { path, content }: { path: string; content: string },
  command: string,
  root: string,
): Finding[] {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return [];
  return [
    wrong(
      `${relative(root, path)} is not what sql/ and policies/ declare.`,
      `Run \`${command}\`, review the difference, and commit it.`,
    ),
  ];
}
