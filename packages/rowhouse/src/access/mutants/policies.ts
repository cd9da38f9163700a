import { listSubqueryVariants } from "./conditions.ts";
import type { Mutant } from "./mutant.ts";
import { listVariants, withoutParentheses } from "./terms.ts";

/** A policy in pieces of SQL: see policies.sql. */
export interface Policy {
  readonly name: string;
  readonly table: string;
  readonly mode: "permissive" | "restrictive";
  readonly command: "select" | "insert" | "update" | "delete" | "all";
  readonly roles: readonly string[];
  /** The role of a request without a token; null when such requests are refused. */
  readonly anonymous: string | null;
  readonly using: string | null;
  readonly check: string | null;
  readonly comment: string | null;
}

type Change = Pick<Mutant, "kind" | "sql">;

/** Every weakening of one policy. */
export function policyMutants(policy: Policy): Mutant[] {
  const changes = [
    dropPolicy,
    setUsingTrue,
    setCheckTrue,
    removeCheck,
    changeCommand,
    widenRole,
    changeMode,
    invertTerms,
    dropTerms,
    changeSubqueries,
  ].flatMap((change) => change(policy));
  const object = `${policy.name} on ${policy.table}`;
  return changes.map(({ kind, sql }) => ({ kind, object, sql, undo: null }));
}

function dropPolicy({ name, table }: Policy): Change[] {
  return [{ kind: "policy dropped", sql: `drop policy ${name} on ${table};` }];
}

function setUsingTrue(policy: Policy): Change[] {
  if (policy.using === null || policy.using === "true") return [];
  return [alterPolicy(policy, "using (true)", "using (true)")];
}

function setCheckTrue(policy: Policy): Change[] {
  const checks = policy.command !== "select" && policy.command !== "delete";
  if (!checks || (policy.check ?? policy.using) === "true") return [];
  return [alterPolicy(policy, "with check (true)", "with check (true)")];
}

/**
 * USING steps in for it. Where the two are the same, nothing changes today; but the next edit of
 * USING would change what may be written, too, so the tests ask for it to be written down.
 */
function removeCheck(policy: Policy): Change[] {
  return policy.check === null ? [] : [recreatePolicy("no with check", { ...policy, check: null })];
}

function changeCommand(policy: Policy): Change[] {
  const commands = ["select", "insert", "update", "delete", "all"] as const;
  const condition = policy.using ?? policy.check;
  return commands
    .filter((command) => command !== policy.command)
    .map((command) => {
      const using = command === "insert" ? null : condition;
      const check =
        command === "select" || command === "delete" ? null : (policy.check ?? condition);
      return recreatePolicy("other command", { ...policy, command, using, check });
    });
}

function widenRole(policy: Policy): Change[] {
  const { roles, anonymous } = policy;
  if (roles.includes("public")) return [];
  const everyone = alterPolicy(policy, "wider role", "to public");
  if (anonymous === null || roles.includes(anonymous)) return [everyone];
  return [everyone, alterPolicy(policy, "wider role", `to ${[anonymous, ...roles].join(", ")}`)];
}

function changeMode(policy: Policy): Change[] {
  return policy.mode === "permissive"
    ? [recreatePolicy("restrictive for permissive", { ...policy, mode: "restrictive" })]
    : [recreatePolicy("permissive for restrictive", { ...policy, mode: "permissive" })];
}

/** Each comparison the other way round: `not (a = b)` is `a <> b`, also where one is null. */
function invertTerms(policy: Policy): Change[] {
  return eachTerm(policy, "inverted", (term) => `not (${term})`);
}

/** A condition of one term is left to `true`. */
function dropTerms(policy: Policy): Change[] {
  return eachTerm(policy, "term dropped", () => null);
}

/** The same for the conditions of its subqueries. */
function changeSubqueries(policy: Policy): Change[] {
  return listSides(policy).flatMap(({ keyword, condition }) =>
    listSubqueryVariants(condition).map(({ kind, sql }) =>
      alterPolicy(policy, `${kind} in a subquery of ${keyword}`, `${keyword} (${sql})`),
    ),
  );
}

/** Changes each term, in USING and in WITH CHECK. */
function eachTerm(policy: Policy, kind: string, change: (term: string) => string | null): Change[] {
  return listSides(policy).flatMap(({ keyword, condition }) =>
    listVariants(condition, change).map((variant) =>
      alterPolicy(policy, `${kind} in ${keyword}`, `${keyword} (${variant})`),
    ),
  );
}

function listSides({ using, check }: Policy): { keyword: string; condition: string }[] {
  return [
    ...(using === null ? [] : [{ keyword: "using", condition: using }]),
    ...(check === null ? [] : [{ keyword: "with check", condition: check }]),
  ];
}

function alterPolicy({ name, table }: Policy, kind: string, clause: string): Change {
  return { kind, sql: `alter policy ${name} on ${table}\n${clause};` };
}

/** What `alter policy` cannot do. The comment stays, else the tests would miss that. */
function recreatePolicy(kind: string, policy: Policy): Change {
  const { name, table, mode, command, roles, using, check, comment } = policy;
  const clauses = [
    `create policy ${name} on ${table}`,
    `as ${mode}`,
    `for ${command} to ${roles.join(", ")}`,
    ...(using === null ? [] : [`using (${withoutParentheses(using)})`]),
    ...(check === null ? [] : [`with check (${withoutParentheses(check)})`]),
  ];
  const statements = [
    `drop policy ${name} on ${table};`,
    `${clauses.join("\n")};`,
    ...(comment === null ? [] : [`comment on policy ${name} on ${table} is\n  ${comment};`]),
  ];
  return { kind, sql: statements.join("\n\n") };
}
