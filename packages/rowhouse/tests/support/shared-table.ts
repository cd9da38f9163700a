import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProject } from "../../src/lib/project.ts";
import { writeTable } from "../../src/schema/new-table/new-table.ts";
import { projectRoot } from "./project.ts";

/** The SQL of what `rowhouse db table <name> --shared` writes, in an order that can be run. */
export function sharedTableSql(name: string): string {
  const root = mkdtempSync(join(tmpdir(), "rowhouse-shared-"));
  try {
    const files = writeTable({ ...readProject(projectRoot), root }, name, "shared");
    const functions = files.filter((file) => file.startsWith("sql/private/"));
    const rest = files.filter((file) => !/^(sql\/private|tests)\//.test(file));
    return [...functions, ...rest].map((file) => readFileSync(join(root, file), "utf8")).join("\n");
  } finally {
    rmSync(root, { recursive: true });
  }
}
