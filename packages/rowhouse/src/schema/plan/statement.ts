import type { Node, RoleSpec } from "libpg-query";
import { parseStatement, quoteName, type Tree } from "../catalog/sql.ts";
import { findSubject, quotePath } from "../catalog/subject.ts";

/** A statement with what PostgreSQL's parser makes of it. */
export interface PlannedStatement {
  readonly sql: string;
  readonly tree: Tree | undefined;
  /** What it makes, changes or drops, as "policy select_own on api.tasks"; empty when unknown. */
  readonly subject: string;
}

/** Parses a statement of a plan. */
export function readStatement(sql: string): PlannedStatement {
  return { sql, tree: parseStatement(sql), subject: findSubject(sql) ?? "" };
}

/** A role that is granted, or taken away. */
export interface Membership {
  readonly granted: boolean;
  /** Names as they are, without quotes. */
  readonly roles: readonly string[];
  readonly members: readonly string[];
}

/** Which roles a `grant staff to authenticator`, or a `revoke`, is about; undefined for others. */
export function findMembership(tree: Tree | undefined): Membership | undefined {
  if (tree === undefined || !("GrantRoleStmt" in tree)) return undefined;
  const { is_grant, granted_roles = [], grantee_roles = [] } = tree.GrantRoleStmt;
  return {
    granted: is_grant === true,
    // A role that is granted is parsed as if it were a privilege.
    roles: granted_roles.flatMap((one) =>
      "AccessPriv" in one ? [one.AccessPriv.priv_name ?? ""] : [],
    ),
    members: listRoleSpecs(grantee_roles),
  };
}

/** The role that a statement makes, changes, drops or describes, or that gets a role. */
export function findRole(tree: Tree | undefined): string | undefined {
  if (tree === undefined) return undefined;
  if ("CreateRoleStmt" in tree) return tree.CreateRoleStmt.role;
  if ("AlterRoleStmt" in tree) return roleName(tree.AlterRoleStmt.role);
  if ("AlterRoleSetStmt" in tree) return roleName(tree.AlterRoleSetStmt.role);
  if ("DropRoleStmt" in tree) return listRoleSpecs(tree.DropRoleStmt.roles)[0];
  if ("CommentStmt" in tree && tree.CommentStmt.objtype === "OBJECT_ROLE")
    return stringOf(tree.CommentStmt.object);
  if ("SecLabelStmt" in tree && tree.SecLabelStmt.objtype === "OBJECT_ROLE")
    return stringOf(tree.SecLabelStmt.object);
  return findMembership(tree)?.members[0];
}

/** Whether a statement gives something another owner. */
export function isOwnerChange(tree: Tree | undefined): boolean {
  if (tree === undefined) return false;
  if ("AlterOwnerStmt" in tree) return true;
  const cmds = ("AlterTableStmt" in tree && tree.AlterTableStmt.cmds) || [];
  return cmds.some(
    (cmd) => "AlterTableCmd" in cmd && cmd.AlterTableCmd.subtype === "AT_ChangeOwner",
  );
}

/** The schema or type that a statement makes, as the catalog names it: "type api.mood". */
export function findMadeType(tree: Tree | undefined): string | undefined {
  if (tree === undefined) return undefined;
  if ("CreateSchemaStmt" in tree)
    return `schema ${quoteName(tree.CreateSchemaStmt.schemaname ?? "")}`;
  const names = listTypeNames(tree);
  return names === undefined ? undefined : `type ${quotePath(names)}`;
}

function listTypeNames(tree: Tree): string[] | undefined {
  if ("CreateEnumStmt" in tree) return namesOf(tree.CreateEnumStmt.typeName);
  if ("CreateRangeStmt" in tree) return namesOf(tree.CreateRangeStmt.typeName);
  if ("CreateDomainStmt" in tree) return namesOf(tree.CreateDomainStmt.domainname);
  if (!("CompositeTypeStmt" in tree)) return undefined;
  const { schemaname, relname } = tree.CompositeTypeStmt.typevar ?? {};
  return [schemaname, relname].filter((part) => part !== undefined);
}

function namesOf(nodes: readonly Node[] = []): string[] {
  return nodes.map((node) => stringOf(node) ?? "");
}

/** The policy that a comment is about, as "policy select_own on api.tasks". */
export function findCommentedPolicy(tree: Tree | undefined): string | undefined {
  if (tree === undefined || !("CommentStmt" in tree)) return undefined;
  const { objtype, object } = tree.CommentStmt;
  if (objtype !== "OBJECT_POLICY" || object === undefined || !("List" in object)) return undefined;
  const names = (object.List.items ?? []).map((item) => quoteName(stringOf(item) ?? ""));
  return `policy ${names.at(-1)} on ${names.slice(0, -1).join(".")}`;
}

function listRoleSpecs(nodes: readonly Node[] = []): string[] {
  return nodes.flatMap((node) =>
    "RoleSpec" in node ? [roleName(node.RoleSpec) ?? []].flat() : [],
  );
}

/** Undefined for `all`, `public` and `current_user`. */
function roleName(role: RoleSpec | undefined): string | undefined {
  return role?.rolename;
}

function stringOf(node: Node | undefined): string | undefined {
  return node !== undefined && "String" in node ? node.String.sval : undefined;
}

/** Whether a statement makes or changes a role; one is made in a `do` block: see roles.ts. */
export function changesRoles(tree: Tree | undefined): boolean {
  const isAny = (...kinds: readonly string[]) => kinds.some((kind) => kind in (tree ?? {}));
  return isAny("AlterRoleStmt", "AlterRoleSetStmt", "GrantRoleStmt", "DoStmt");
}
