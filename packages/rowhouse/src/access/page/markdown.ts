import { readableName } from "../../lib/readable-name.ts";
import type { ApiNames } from "../../stack/api-names.ts";
import {
  type AccessModel,
  type ApiFunction,
  type ApiRole,
  type Policy,
  type Relation,
  type Verb,
  verbs,
} from "../model/model.ts";
import { type Cell, getCallCell, getCell } from "./cells.ts";
import { markdownCode as code, markdownText } from "./escape.ts";

/**
 * The page that shows who can do what.
 *
 * @param picture The path of the picture, from the page.
 */
export function accessPage({ names, relations, functions }: AccessModel, picture: string): string {
  const { roles, schemas } = names;
  const called = functions.filter(({ schema }) => schemas.includes(schema));
  const helpers = functions.filter(
    ({ schema, executableBy }) => !schemas.includes(schema) && executableBy.length > 0,
  );
  const blocks = [
    "<!-- Written by `npx rowhouse access` from sql/ and policies/: do not edit. -->",
    "# Who can do what",
    "Written by `npx rowhouse access` from the database that `sql/` and `policies/` declare.",
    `![What ${listWords(roles)} can do with each table and function](${picture})`,
    `${describeRoles(names)} A condition is what\na row has to pass; *nothing* is not granted, *no row* is granted, but no policy lets a row pass.\nA request that filters the rows it updates or deletes also has to pass the condition of select.`,
    ...relations.flatMap((relation) => relationBlocks(relation, roles)),
    "## Functions",
    "Called as `/rpc/<name>`:",
    functionTable(called, roles),
    "Used by those and by the policies; PostgREST does not serve them:",
    functionTable(helpers, roles),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function describeRoles({ roles, anonymous }: ApiNames): string {
  const others = roles.filter((role) => role !== anonymous).map(code);
  const own = others.length === 1 ? "one with a token" : "one whose token names it";
  const withToken = others.length > 0 ? [`${listWords(others)} ${own}`] : [];
  if (anonymous !== undefined)
    return `${[`${code(anonymous)} is a request without a token`, ...withToken].join(", ")}.`;
  return `A request without a token is refused${others.length > 0 ? `; ${listWords(others)} is ${own}` : ""}.`;
}

function listWords(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), ...words.slice(-1)]
    .filter((part) => part !== "")
    .join(" and ");
}

function relationBlocks(relation: Relation, roles: readonly ApiRole[]): string[] {
  return [
    `## ${code(relation.fullName)}`,
    ...(relation.comment === null ? [] : [markdownText(relation.comment)]),
    [security(relation), ...idleGrants(relation, roles)].join("\n"),
    table(
      ["", ...roles],
      verbs.map((verb) => [verb, ...roles.map((role) => cellText(getCell(relation, role, verb)))]),
    ),
    columnTable(relation),
    ...(relation.policies.length === 0 ? [] : [policyTable(relation.policies)]),
  ];
}

function security({ kind, asksAsInvoker, rowSecurity, forced }: Relation): string {
  if (kind === "foreign table") return "A foreign table: **it knows no row-level security**.";
  if (asksAsInvoker)
    return "A view that reads with the caller's rights: the policies of its tables apply.";
  if (kind !== "table")
    return `A ${kind} that **reads with its owner's rights**, past the caller's policies.`;
  if (!rowSecurity) return "**Row-level security is off: policies count for nothing.**";
  return forced
    ? "Row-level security is on, also for the owner."
    : "Row-level security is on, but **not for the owner**.";
}

/** Grants that would wake up with a grant on the schema. */
function idleGrants({ grants, usableBy }: Relation, roles: readonly ApiRole[]): string[] {
  return roles
    .filter((role) => !usableBy.includes(role))
    .filter((role) => grants.some((grant) => grant.role === role && grant.columns !== null))
    .map((role) => `**${role} has grants here**, but may not use the schema.`);
}

function columnTable({ columns, grants }: Relation): string {
  const grantees = (column: string, verb: Verb) =>
    grants
      .filter((grant) => grant.verb === verb && grant.columns?.includes(column))
      .map(({ role }) => role)
      .join(", ");
  const columnVerbs = verbs.filter((verb) => verb !== "delete");
  return table(
    ["column", "type", ...columnVerbs],
    columns.map(({ name, type }) => [
      code(readableName(name)),
      markdownText(type),
      ...columnVerbs.map((verb) => grantees(name, verb)),
    ]),
  );
}

function policyTable(policies: readonly Policy[]): string {
  return table(
    ["policy", "for", "to", ""],
    policies.map(({ name, permissive, verb, roles, comment }) => [
      code(readableName(name)),
      permissive ? verb : `${verb}, restrictive`,
      roles.map(markdownText).join(", "),
      markdownText(comment ?? ""),
    ]),
  );
}

function functionTable(functions: readonly ApiFunction[], roles: readonly ApiRole[]): string {
  if (functions.length === 0) return "None.";
  return table(
    ["function", "called by", "runs as", "search_path", "volatility", ""],
    functions.map((one) => [
      code(one.signature),
      roles.filter((role) => getCallCell(one, role).reach === "callable").join(", ") || "no role",
      one.security === "definer" ? "**its owner**" : "the caller",
      searchPath(one.searchPath),
      one.volatility,
      markdownText(one.comment ?? ""),
    ]),
  );
}

function searchPath(path: string | null): string {
  if (path === null) return "the caller's";
  return path === '""' ? "empty" : code(path);
}

function cellText({ parts }: Cell): string {
  return parts.map(({ text, isSql }) => (isSql ? code(text) : text)).join("");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `${cells.map((cell) => (cell === "" ? "| " : `| ${cell} `)).join("")}|`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
