import { declaredFiles, readDeclared } from "./declared.ts";
import { splitStatements } from "./sql.ts";
import { isCreation, listSubjects } from "./subject.ts";

/** A line of a file below sql/ or policies/. */
export interface Place {
  /** From the project's folder, with slashes. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/**
 * Where each thing is declared, by what makes it: "policy select_own on api.tasks".
 *
 * @throws RowhouseError declaration_failed when a file cannot be read.
 */
export function readPlaces(root: string): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const file of declaredFiles(root)) {
    const sql = readDeclared(root, file);
    for (const { tree, codeStart } of splitStatements(sql)) {
      if (!isCreation(tree)) continue;
      const line = sql.slice(0, codeStart).split("\n").length;
      for (const subject of listSubjects(tree))
        places.set(subject, { file: file.replaceAll("\\", "/"), line });
    }
  }
  return places;
}
