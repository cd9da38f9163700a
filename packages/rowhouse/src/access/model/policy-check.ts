import type { ApiRole, Policy, Relation, Verb } from "./model.ts";

/**
 * What a row has to pass: one of the permissive policies, and all of the restrictive ones
 * (PostgreSQL's manual, CREATE POLICY). Without row-level security every row passes.
 */
export interface PolicyCheck {
  /** Whose policies these are. */
  readonly verb: Verb;
  readonly open: boolean;
  readonly permissive: readonly Condition[];
  readonly restrictive: readonly Condition[];
}

/** One policy's part in a check. */
interface Condition {
  readonly policy: Policy;
  /** The expression that counts here, its USING or its WITH CHECK, over the table's columns. */
  readonly sql: string;
}

/** What a role needs for a verb on a table. */
export interface Access {
  readonly role: ApiRole;
  readonly verb: Verb;
  /** Null when the verb is not granted at all; empty for delete, which knows no columns. */
  readonly columns: readonly string[] | null;
  /** What the row that is there has to pass, each of them; none for insert. */
  readonly row: readonly PolicyCheck[];
  /** What the row that results has to pass, each of them; none for select and delete. */
  readonly result: readonly PolicyCheck[];
  /** What an update or delete needs on top to name its rows; null for the others. */
  readonly filter: Filter | null;
}

/** What a request needs that filters the rows it changes: it reads them, so it has to be let. */
interface Filter {
  /** The columns that it can filter by; null when select is not granted at all. */
  readonly columns: readonly string[] | null;
  /** Both the row that is there and the one that results have to pass it. */
  readonly check: PolicyCheck;
}

/**
 * What a role needs for a verb on a table: its grant, and the checks of the policies.
 *
 * The policies of select hold an update or delete only where it reads the rows (CREATE POLICY,
 * table "Policies Applied by Command Type"): to filter them, or to give them back. One that does
 * neither, like `DELETE /tasks`, changes whatever its own policies let pass, also out of sight.
 */
export function getAccess(relation: Relation, role: ApiRole, verb: Verb): Access {
  const reads = verb === "update" || verb === "delete";
  const own = (side: "using" | "check") => getPolicyCheck(relation, role, verb, side);
  return {
    role,
    verb,
    columns: columnsFor(relation, role, verb),
    row: verb === "insert" ? [] : [own("using")],
    result: verb === "insert" || verb === "update" ? [own("check")] : [],
    filter: reads
      ? {
          columns: columnsFor(relation, role, "select"),
          check: getPolicyCheck(relation, role, "select", "using"),
        }
      : null,
  };
}

function columnsFor(relation: Relation, role: ApiRole, verb: Verb): readonly string[] | null {
  if (!relation.usableBy.includes(role)) return null;
  return relation.grants.find((one) => one.role === role && one.verb === verb)?.columns ?? null;
}

/**
 * The SQL of what a row has to pass, as PostgreSQL puts it together: an expression over the table's
 * columns. It may be null, which does not pass.
 */
export function toSql(checks: readonly PolicyCheck[]): string {
  const limits = new Set(checks.map(checkToSql).filter((sql) => sql !== "true"));
  return [...limits].join(" and ") || "true";
}

function checkToSql({ open, permissive, restrictive }: PolicyCheck): string {
  if (open) return "true";
  if (permissive.length === 0) return "false";
  const everyRow = permissive.some(({ sql }) => sql === "true");
  const either = everyRow ? [] : [`(${permissive.map(inParentheses).join(" or ")})`];
  return [...either, ...restrictive.map(inParentheses)].join(" and ") || "true";
}

function inParentheses({ sql }: Condition): string {
  return `(${sql})`;
}

function getPolicyCheck(
  relation: Relation,
  role: ApiRole,
  verb: Verb,
  side: "using" | "check",
): PolicyCheck {
  const conditions = relation.policies
    .filter((policy) => policy.verb === verb || policy.verb === "all")
    .filter((policy) => policy.appliesTo.includes(role))
    .flatMap((policy) => {
      // A policy without WITH CHECK checks with USING; one without either does not apply.
      const sql = (side === "check" ? policy.check : null) ?? policy.using;
      return sql === null ? [] : [{ policy, sql }];
    });
  return {
    verb,
    open: !isApplied(relation, role),
    permissive: conditions.filter(({ policy }) => policy.permissive),
    restrictive: conditions.filter(({ policy }) => !policy.permissive),
  };
}

/** Whether row-level security holds a role at all. */
function isApplied({ rowSecurity, forced, bypassedBy, ownedBy }: Relation, role: ApiRole): boolean {
  return rowSecurity && !bypassedBy.includes(role) && (forced || !ownedBy.includes(role));
}
