import { type Group, type Node, parse, write } from "./expression.ts";

/**
 * A condition as PostgreSQL writes it, as a person would: in lower case, on one line, without the
 * parentheses and casts that change nothing. Where that is not sure, they stay.
 */
export function simplify(sql: string): string {
  return write(simplifyNodes(parse(sql)));
}

/** What can stand before and after a whole condition. */
const connectives = ["and", "or"];
const starts = [undefined, ...connectives, "where", "on", "when", "then", "else", "having"];
const ends = [undefined, ...connectives, "when", "then", "else", "end", "where"];

/** Beside these a bare string is taken for a text, or for what the other side is. */
const comparisons = ["=", "<>", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "~~", "!~~", "~~*"];
const textOperators = [...comparisons, "!~~*", "->", "->>", "?"];

function simplifyNodes(nodes: readonly Node[]): readonly Node[] {
  const inner = nodes.map((node) =>
    "open" in node ? { ...node, nodes: simplifyNodes(node.nodes) } : node,
  );
  return unwrap(withoutGroups(withoutCasts(rewriteDistinct(inner))));
}

/** Takes the parentheses off that go around all of it. */
function unwrap(nodes: readonly Node[]): readonly Node[] {
  const [only] = nodes;
  return only && nodes.length === 1 && isCondition(only) ? unwrap(only.nodes) : nodes;
}

/** `not (a is distinct from b)` is `a is not distinct from b`. */
function rewriteDistinct(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node, index): readonly Node[] => {
    if (getText(node) === "not" && isDistinctTest(nodes[index + 1])) return [];
    if (!isDistinctTest(node) || getText(nodes[index - 1]) !== "not") return [node];
    const after = node.nodes.findIndex((one) => getText(one) === "is") + 1;
    const not = { text: "not", spaced: true };
    const words = [...node.nodes.slice(0, after), not, ...node.nodes.slice(after)];
    return [{ ...node, nodes: words }];
  });
}

function isDistinctTest(node: Node | undefined): node is Group {
  if (!node || !isCondition(node) || has(node.nodes, "and", "or", "not")) return false;
  return / is distinct from /.test(write(node.nodes.filter((one) => "text" in one)));
}

/** Takes the parentheses off what needs none: the operands of casts, of "and" and of "or". */
function withoutGroups(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node, index): readonly Node[] => {
    if (!isCondition(node)) return [node];
    const isNeedless =
      getText(nodes[index + 1]) === "::"
        ? !isCall(nodes, index) && isColumnOrCall(node.nodes)
        : isOperand(node, getText(nodes[index - 1]), nodes[index + 1]);
    return isNeedless ? setSpacing(node.nodes, node.spaced) : [node];
  });
}

/** Whether a group is one side of "and" or "or", or a clause. "a and (b or c)" keeps it. */
function isOperand({ nodes }: Group, before: string | undefined, next: Node | undefined): boolean {
  const after = getText(next);
  if (next && after === undefined) return false;
  if (!starts.includes(before) || !ends.includes(after)) return false;
  return [before, after].every(
    (near) => !near || !connectives.includes(near) || !has(nodes, near === "and" ? "or" : "and"),
  );
}

/** Whether the group at an index holds the arguments of a function. */
function isCall(nodes: readonly Node[], index: number): boolean {
  return !nodes[index]?.spaced && /^[\p{L}_"]/u.test(getText(nodes[index - 1]) ?? "");
}

/** `name`, `schema.name`, or either one called. */
function isColumnOrCall(nodes: readonly Node[]): boolean {
  const called = nodes.length > 1 && isCall(nodes, nodes.length - 1) ? nodes.slice(0, -1) : nodes;
  const isName = (node: Node) => /^[\p{L}_"]/u.test(getText(node) ?? "");
  return (
    called.length % 2 === 1 &&
    called.every((node, index) => (index % 2 === 0 ? isName(node) : getText(node) === "."))
  );
}

/** Takes `::text` off strings beside an operator that needs no telling, and in `any (array[…])`. */
function withoutCasts(nodes: readonly Node[]): Node[] {
  return without(nodes, isNeedlessCast).map((node, at, all) =>
    ["any", "all"].includes(getText(all[at - 1]) ?? "") && "open" in node
      ? { ...node, nodes: withoutElementCasts(node.nodes) }
      : node,
  );
}

function isNeedlessCast(nodes: readonly Node[], at: number): boolean {
  const after = nodes[at + 2];
  if (!isTextCast(nodes, at) || (after && "open" in after)) return false;
  const isBeside = [nodes[at - 2], after].some((near) =>
    textOperators.includes(getText(near) ?? ""),
  );
  return isBeside && [undefined, ...connectives, ...textOperators].includes(getText(after));
}

/** In an array that holds one string as text, all elements are texts. */
function withoutElementCasts(nodes: readonly Node[]): readonly Node[] {
  const list = nodes[1];
  if (getText(nodes[0]) !== "array" || nodes.length !== 2 || !list || !("open" in list))
    return nodes;
  const isCast = (elements: readonly Node[], at: number) =>
    isTextCast(elements, at) && [undefined, ","].includes(getText(elements[at + 2]));
  return [...nodes.slice(0, 1), { ...list, nodes: without(list.nodes, isCast) }];
}

/** Takes the casts out: "::" and the type after it. */
function without(
  nodes: readonly Node[],
  isCast: (nodes: readonly Node[], at: number) => boolean,
): Node[] {
  return nodes.filter((_, at) => !isCast(nodes, at) && !isCast(nodes, at - 1));
}

/** Whether `'…'::text` has its "::" at an index. */
function isTextCast(nodes: readonly Node[], at: number): boolean {
  const [string, cast, type] = nodes.slice(Math.max(at - 1, 0), at + 2);
  return at > 0 && isString(string) && getText(cast) === "::" && getText(type) === "text";
}

/** Whether it stands in parentheses, and these make no list and no subquery of it. */
function isCondition(node: Node): node is Group {
  if (!("open" in node) || node.open !== "(" || node.nodes.length === 0) return false;
  const first = getText(node.nodes[0]);
  return first !== "select" && first !== "with" && !has(node.nodes, ",");
}

function isString(node: Node | undefined): boolean {
  return getText(node)?.startsWith("'") ?? false;
}

function has(nodes: readonly Node[], ...words: string[]): boolean {
  return nodes.some((node) => words.includes(getText(node) ?? ""));
}

function getText(node: Node | undefined): string | undefined {
  return node && "text" in node ? node.text : undefined;
}

function setSpacing([first, ...rest]: readonly Node[], spaced: boolean): Node[] {
  return first ? [{ ...first, spaced }, ...rest] : rest;
}
