import { type Group, type Node, parse, write } from "./expression.ts";

/**
 * A condition as PostgreSQL writes it, as a person would: in lower case, on one line, without the
 * parentheses and casts that change nothing. Where that is not sure, they stay.
 */
export function readable(sql: string): string {
  return write(simplified(parse(sql)));
}

/** What can stand before and after a whole condition. */
const connectives = ["and", "or"];
const starts = [undefined, ...connectives, "where", "on", "when", "then", "else", "having"];
const ends = [undefined, ...connectives, "when", "then", "else", "end", "where"];

/** Beside these a bare string is taken for a text, or for what the other side is. */
const comparisons = ["=", "<>", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "~~", "!~~", "~~*"];
const textOperators = [...comparisons, "!~~*", "->", "->>", "?"];

function simplified(nodes: readonly Node[]): readonly Node[] {
  const inner = nodes.map((node) =>
    "open" in node ? { ...node, nodes: simplified(node.nodes) } : node,
  );
  return unwrapped(withoutGroups(withoutCasts(asDistinct(inner))));
}

/** Takes the parentheses off that go around all of it. */
function unwrapped(nodes: readonly Node[]): readonly Node[] {
  const [only] = nodes;
  return only && nodes.length === 1 && isCondition(only) ? unwrapped(only.nodes) : nodes;
}

/** `not (a is distinct from b)` is `a is not distinct from b`. */
function asDistinct(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node, index): readonly Node[] => {
    if (textOf(node) === "not" && isDistinctTest(nodes[index + 1])) return [];
    if (!isDistinctTest(node) || textOf(nodes[index - 1]) !== "not") return [node];
    const after = node.nodes.findIndex((one) => textOf(one) === "is") + 1;
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
      textOf(nodes[index + 1]) === "::"
        ? !isCall(nodes, index) && isColumnOrCall(node.nodes)
        : isOperand(node, textOf(nodes[index - 1]), nodes[index + 1]);
    return isNeedless ? respaced(node.nodes, node.spaced) : [node];
  });
}

/** Whether a group is one side of "and" or "or", or a clause. "a and (b or c)" keeps it. */
function isOperand({ nodes }: Group, before: string | undefined, next: Node | undefined): boolean {
  const after = textOf(next);
  if (next && after === undefined) return false;
  if (!starts.includes(before) || !ends.includes(after)) return false;
  return [before, after].every(
    (near) => !near || !connectives.includes(near) || !has(nodes, near === "and" ? "or" : "and"),
  );
}

/** Whether the group at an index holds the arguments of a function. */
function isCall(nodes: readonly Node[], index: number): boolean {
  return !nodes[index]?.spaced && /^[\p{L}_"]/u.test(textOf(nodes[index - 1]) ?? "");
}

/** `name`, `schema.name`, or either one called. */
function isColumnOrCall(nodes: readonly Node[]): boolean {
  const called = nodes.length > 1 && isCall(nodes, nodes.length - 1) ? nodes.slice(0, -1) : nodes;
  const isName = (node: Node) => /^[\p{L}_"]/u.test(textOf(node) ?? "");
  return (
    called.length % 2 === 1 &&
    called.every((node, index) => (index % 2 === 0 ? isName(node) : textOf(node) === "."))
  );
}

/** Takes `::text` off strings beside an operator that needs no telling, and in `any (array[…])`. */
function withoutCasts(nodes: readonly Node[]): Node[] {
  return without(nodes, isNeedlessCast).map((node, at, all) =>
    ["any", "all"].includes(textOf(all[at - 1]) ?? "") && "open" in node
      ? { ...node, nodes: withoutElementCasts(node.nodes) }
      : node,
  );
}

function isNeedlessCast(nodes: readonly Node[], at: number): boolean {
  const after = nodes[at + 2];
  if (!isTextCast(nodes, at) || (after && "open" in after)) return false;
  const isBeside = [nodes[at - 2], after].some((near) =>
    textOperators.includes(textOf(near) ?? ""),
  );
  return isBeside && [undefined, ...connectives, ...textOperators].includes(textOf(after));
}

/** In an array that holds one string as text, all elements are texts. */
function withoutElementCasts(nodes: readonly Node[]): readonly Node[] {
  const list = nodes[1];
  if (textOf(nodes[0]) !== "array" || nodes.length !== 2 || !list || !("open" in list))
    return nodes;
  const isCast = (elements: readonly Node[], at: number) =>
    isTextCast(elements, at) && [undefined, ","].includes(textOf(elements[at + 2]));
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
  return at > 0 && isString(string) && textOf(cast) === "::" && textOf(type) === "text";
}

/** Whether it stands in parentheses, and these make no list and no subquery of it. */
function isCondition(node: Node): node is Group {
  if (!("open" in node) || node.open !== "(" || node.nodes.length === 0) return false;
  const first = textOf(node.nodes[0]);
  return first !== "select" && first !== "with" && !has(node.nodes, ",");
}

function isString(node: Node | undefined): boolean {
  return textOf(node)?.startsWith("'") ?? false;
}

function has(nodes: readonly Node[], ...words: string[]): boolean {
  return nodes.some((node) => words.includes(textOf(node) ?? ""));
}

function textOf(node: Node | undefined): string | undefined {
  return node && "text" in node ? node.text : undefined;
}

function respaced([first, ...rest]: readonly Node[], spaced: boolean): Node[] {
  return first ? [{ ...first, spaced }, ...rest] : rest;
}
