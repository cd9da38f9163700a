import type { AlterRoleStmt, Node } from "libpg-query";
import { quoteLiteral } from "../catalog/define.ts";
import { isListSetting } from "../catalog/list-settings.ts";
import { parseStatement, type Tree } from "../catalog/sql.ts";
import { findMembership } from "../plan/statement.ts";

/**
 * Makes a change of a role do nothing where it is made already: roles belong to the server, which may
 * have them from elsewhere, and two databases on it may be built at once.
 */
export function guardRole(sql: string): string {
  const done = findDone(sql);
  if (done === undefined) return sql;
  return `do $rowhouse$
begin
  if not ${done} then
    ${sql};
  end if;
end
$rowhouse$`;
}

/** The condition that holds when a statement has nothing to do; undefined for all others. */
function findDone(sql: string): string | undefined {
  const tree = parseStatement(sql);
  const { granted, roles = [], members = [] } = findMembership(tree) ?? {};
  if (granted && roles.length === 1 && members.length === 1 && !/ with /.test(sql)) {
    const [member, role] = [members[0] ?? "", roles[0] ?? ""].map(quoteLiteral);
    // Not pg_has_role, which holds for memberships by way of others, too.
    return `exists (
    select from pg_catalog.pg_auth_members as held
    join pg_catalog.pg_roles as owner on owner.oid = held.roleid
    join pg_catalog.pg_roles as holder on holder.oid = held.member
    where owner.rolname = ${role}
    and holder.rolname = ${member}
  )`;
  }
  if (tree === undefined) return undefined;
  return "AlterRoleStmt" in tree ? findOptionSet(tree.AlterRoleStmt) : findSettingSet(sql, tree);
}

/** Of an option that is not among those that make a role. */
function findOptionSet({ role, options: [option, ...more] = [] }: AlterRoleStmt) {
  if (option === undefined || more.length > 0 || !("DefElem" in option)) return undefined;
  const { defname, arg = { Integer: {} } } = option.DefElem;
  const condition =
    "Integer" in arg
      ? `rolconnlimit = ${arg.Integer.ival ?? 0}`
      : "String" in arg && `rolvaliduntil = ${quoteLiteral(arg.String.sval ?? "")}`;
  const isKnown = defname === "connectionlimit" || defname === "validUntil";
  return isKnown && condition ? roleWith(role?.rolename ?? "", condition) : undefined;
}

function findSettingSet(sql: string, tree: Tree): string | undefined {
  if (!("AlterRoleSetStmt" in tree)) return undefined;
  const { role, setstmt } = tree.AlterRoleSetStmt;
  const text = isListSetting(setstmt?.name ?? "")
    ? / to ([\s\S]*)$/.exec(sql)?.[1]
    : readValue(setstmt?.args);
  if (role?.rolename === undefined || text === undefined) return undefined;
  return roleWith(role.rolename, `${quoteLiteral(`${setstmt?.name}=${text}`)} = any (rolconfig)`);
}

function roleWith(name: string, condition: string): string {
  return `exists (
    select from pg_catalog.pg_roles
    where rolname = ${quoteLiteral(name)}
    and ${condition}
  )`;
}

/** The value of a setting that is one string. */
function readValue([value, ...more]: readonly Node[] = []): string | undefined {
  const isOne = value !== undefined && more.length === 0 && "A_Const" in value;
  return isOne ? value.A_Const.sval?.sval : undefined;
}
