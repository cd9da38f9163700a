import type { Tree } from "./sql.ts";

/** What others need most comes first; all that is not here comes last. */
const ranks = new Map(
  [
    ["CreateRoleStmt", "DoStmt"],
    ["CreateSchemaStmt", "CreateExtensionStmt"],
    ["CreateEnumStmt", "CompositeTypeStmt", "CreateDomainStmt"],
    ["CreateFunctionStmt"],
  ].flatMap((kinds, rank) => kinds.map((kind) => [kind, rank] as const)),
);

/**
 * A good order in which to try files that need one another: each that comes too early is tried once
 * more, and no more is lost by that than time.
 *
 * @param first What PostgreSQL's parser made of a file's first statement.
 */
export function rank(first: Tree | undefined): number {
  const [kind = ""] = Object.keys(first ?? {});
  return ranks.get(kind) ?? ranks.size;
}
