import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseUp } from "../../stack/dbmate.ts";
import { declaredFiles, readDeclared } from "../catalog/declared.ts";
import { findSubject, normalize, splitStatements } from "../catalog/sql.ts";

/** The statements that made what is there, by what they made: "policy select_own on api.tasks". */
export type Sources = ReadonlyMap<string, string>;

/** How people wrote what is declared, in sql/ and policies/. */
export function declaredSources(root: string): Sources {
  return collectSources(declaredFiles(root).map((file) => readDeclared(root, file)));
}

/** How people wrote what is migrated, in the migrations. */
export function migratedSources(dir: string): Sources {
  const files = readdirSync(dir).filter((file) => file.endsWith(".sql"));
  return collectSources(
    files.sort().map((file) => parseUp(readFileSync(join(dir, file), "utf8")).sql),
  );
}

/**
 * What was altered, dropped or made again after it was made is no longer what its statement
 * does: it is left out, or replaced by the last one.
 */
function collectSources(texts: readonly string[]): Sources {
  const sources = new Map<string, string>();
  for (const { text: statement } of texts.flatMap(splitStatements)) {
    const subject = findSubject(statement);
    if (subject === undefined) continue;
    const creates = normalize(statement).startsWith("create ");
    const again = sources.has(subject) && !normalize(statement).startsWith("create or replace ");
    // Row security and statistics do not change the `create table` statement.
    if (/^alter table .* (row level security|set statistics)/.test(normalize(statement))) continue;
    if (creates && !again) sources.set(subject, statement);
    else sources.delete(subject);
  }
  return sources;
}
