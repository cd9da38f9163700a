/** A word, a name, a string, a number or an operator. */
interface Token {
  readonly text: string;
  /** Whether a space stands before it. */
  readonly spaced: boolean;
}

/** What stands between a pair of parentheses or brackets. */
export interface Group {
  readonly open: "(" | "[";
  readonly nodes: readonly Node[];
  readonly spaced: boolean;
}

/** A piece of an SQL expression. */
export type Node = Token | Group;

const pattern =
  /(?<space>\s*)(?<token>'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|[\d.]+|::|[-+*/<>=~!@#%^&|`?]+|[^\s])/gu;

/**
 * Takes an expression apart. What is not quoted is put in lower case: to PostgreSQL it is.
 *
 * @param sql As PostgreSQL writes it: without comments, the parentheses balanced.
 */
export function parse(sql: string): Node[] {
  const root: Node[] = [];
  const stack = [root];
  for (const { groups } of sql.matchAll(pattern)) {
    const spaced = groups?.space !== "";
    const token = groups?.token ?? "";
    const current = stack.at(-1) ?? root;
    if (token === "(" || token === "[") {
      const nodes: Node[] = [];
      current.push({ open: token, nodes, spaced });
      stack.push(nodes);
    } else if (token === ")" || token === "]") {
      stack.pop();
    } else {
      current.push({ text: /^['"]/.test(token) ? token : token.toLowerCase(), spaced });
    }
  }
  return root;
}

/** Writes an expression, on one line but for line breaks inside strings. */
export function write(nodes: readonly Node[]): string {
  const parts = nodes.map((node, index) => (node.spaced && index > 0 ? " " : "") + writeNode(node));
  return parts.join("");
}

function writeNode(node: Node): string {
  if ("text" in node) return node.text;
  return `${node.open}${write(node.nodes)}${node.open === "(" ? ")" : "]"}`;
}
