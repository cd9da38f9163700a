import { type Token, tokenize } from "../catalog/sql.ts";

/** `create function …` as `create or replace function …`, however it is written. */
export function toReplacement(source: string): string {
  const tokens = tokenize(source);
  const [create, second] = codeTokens(tokens);
  if (create === undefined || isWord(second, "or")) return source;
  return join(tokens, (token) => (token === create ? `${token.text} or replace` : token.text));
}

/** `create policy … as permissive for … to … using …` as `alter policy`, which keeps mode and verb. */
export function toAlterPolicy(source: string): string {
  const tokens = tokenize(source);
  const code = codeTokens(tokens);
  const isClause = (token: Token) => ["to", "using", "with"].some((word) => isWord(token, word));
  const head = code.slice(0, code.findIndex(isClause));
  const start = head.find((token) => isWord(token, "as") || isWord(token, "for"))?.start;
  const end = code.find(isClause)?.start ?? 0;
  return join(tokens, (token) => {
    if (token === code[0]) return "alter";
    return start !== undefined && token.start >= start && token.start < end && token.kind === "code"
      ? ""
      : token.text;
  });
}

function codeTokens(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ text, kind }) => kind !== "comment" && text.trim() !== "");
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "code" && token.text.toLowerCase() === word;
}

function join(tokens: readonly Token[], write: (token: Token) => string): string {
  return tokens.map(write).join("");
}
