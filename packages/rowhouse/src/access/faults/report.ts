import { groupBy } from "../../schema/plan/group.ts";
import type { ApiRole, Verb } from "../model/model.ts";
import type { Fault } from "./fault.ts";

/** A request that fails. */
export interface FailingRequest {
  /** With its schema. */
  readonly table: string;
  readonly role: ApiRole;
  readonly verb: Verb;
  /** PostgreSQL's SQLSTATE and message. */
  readonly code: string;
  readonly message: string;
  /** The policies whose own expressions fail; empty when it is none of the table's. */
  readonly policies: readonly string[];
  /** Whether neither the values of a row nor a claim decide about it. */
  readonly isCertain: boolean;
  /** On what it was seen; undefined when it needs no row. */
  readonly tried: string | undefined;
}

/** One fault for all verbs of a role on a table that fail in the same way. */
export function toFaults(requests: readonly FailingRequest[]): Fault[] {
  const groups = groupBy(requests, ({ table, role, code, message, isCertain, tried }) =>
    JSON.stringify([table, role, code, message, isCertain, tried]),
  );
  return [...groups.values()].flatMap((group) => toFault(group));
}

function toFault(group: readonly FailingRequest[]): Fault[] {
  const [first] = group;
  if (first === undefined) return [];
  const { table, role, code, message, isCertain, tried } = first;
  const names = [...new Set(group.map(({ verb }) => verb))].join(", ");
  const policies = [...new Set(group.flatMap((one) => one.policies))];
  const likely = policies.length === 0 ? "" : ` (in ${policies.join(", ")})`;
  const what =
    tried === undefined ? `every ${names} by ${role} fails` : `${names} by ${role} fails ${tried}`;
  return [
    {
      rule: getRule(code, isCertain),
      level: isCertain ? "error" : "note",
      object: table,
      finding: `${what}: ${code} ${message}${likely}`,
      effect: isCertain ? "PostgREST answers with that error" : "Other rows and claims may pass",
      remedy: getRemedy(code, role),
      keys: group.map(({ verb }) => `request ${table} ${role} ${verb} ${code}`),
      causes: findCauses(first),
    },
  ];
}

/** Of a function that may not be executed: which, by whom, and whose policies call it. */
function findCauses({ table, role, code, message }: FailingRequest): string[] {
  const denied = /^permission denied for function (.+)$/.exec(message)?.[1];
  return code === "42501" && denied !== undefined
    ? [`execute ${denied} ${role} ${table.replaceAll('"', "")}`]
    : [];
}

function getRule(code: string, isCertain: boolean): Fault["rule"] {
  if (!isCertain) return "failing_rows";
  return code === recursion ? "policy_recursion" : "failing_requests";
}

/** SQLSTATE of policies that never come to an end. */
const recursion = "42P17";

function getRemedy(code: string, role: ApiRole): string {
  if (code === recursion) {
    return "Policies must not ask each other's tables: let one ask a security definer function, as request.is_member_of_<table>() does.";
  }
  if (code === "42501") {
    return `Grant ${role} what the message names, or let the policy ask for something that ${role} may use.`;
  }
  return "Correct the expression of the policy, or the function that it calls.";
}
