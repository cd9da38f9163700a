import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import type { Project } from "../../lib/project.ts";

/** Rows of one user each, or rows that several users reach through a membership. */
export type TableKind = "owned" | "shared";

/** Where each template goes; `__table__` is the table's name. */
const places: Record<TableKind, Record<string, string>> = {
  owned: {
    "table.sql": "sql/api/__table__.sql",
    "policies.sql": "policies/__table__.sql",
    "test.sql": "tests/database/__table__.sql",
  },
  shared: {
    "table.sql": "sql/api/__table__.sql",
    "members.sql": "sql/api/__table___members.sql",
    "is_member.sql": "sql/request/is_member_of___table__.sql",
    "add_owner.sql": "sql/private/add_owner_of___table__.sql",
    "keep_owner.sql": "sql/private/keep_owner_of___table__.sql",
    "announce_end.sql": "sql/private/announce_end_to___table__.sql",
    "pass_on.sql": "sql/private/pass_on___table__.sql",
    "end_with_members.sql": "sql/private/end___table___with_members.sql",
    "policies.sql": "policies/__table__.sql",
    "members-policies.sql": "policies/__table___members.sql",
    "test.sql": "tests/database/__table__.sql",
    "members-test.sql": "tests/database/__table___members.sql",
  },
};

/**
 * Writes the files of a new table: all of them, or none.
 *
 * @param name The table's name, without its schema.
 * @returns The files, as paths from the project's folder.
 * @throws RowhouseError file_exists
 */
export function writeTable({ root }: Project, name: string, kind: TableKind): string[] {
  const fill = (text: string) => text.replaceAll("__table__", name);
  const files = Object.entries(places[kind]).map(([template, place]) => ({
    path: fill(place),
    text: fill(readFileSync(join(import.meta.dirname, kind, template), "utf8")),
  }));
  const existing = files.map(({ path }) => path).filter((path) => existsSync(join(root, path)));
  if (existing.length > 0) {
    throw new RowhouseError(
      "file_exists",
      `${existing.join(", ")} ${existing.length === 1 ? "exists" : "exist"} already.`,
      "Nothing was written. Give the table another name, or edit these files.",
    );
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: "wx" });
  }
  return files.map(({ path }) => path);
}

/**
 * Makes sure that what is written would build: a project that was made of a database has users and helpers of its
 * own.
 *
 * @throws RowhouseError users_missing
 */
export function assertHasUsers({ root }: Project): void {
  const dir = join(root, "sql");
  const files = existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: "utf8" }) : [];
  const sql = files
    .filter((file) => file.endsWith(".sql"))
    .map((file) => readFileSync(join(dir, file), "utf8"))
    .join("\n");
  if (/\btable\s+api\.users\b/i.test(sql) && /\bfunction\s+request\.user_id\b/i.test(sql)) return;
  throw new RowhouseError(
    "users_missing",
    "What this command writes rests on the table api.users and on request.user_id(), and sql/ does not make both.",
    "Nothing was written. Write the table, its policies and grants by hand, with the names of this project; `rowhouse db migration` does the rest.",
  );
}
