import { colours } from "../../lib/colours.ts";
import { tokenize } from "../catalog/sql.ts";

const keywords =
  /\b(add|all|alter|anonymous|as|authenticated|check|column|comment|constraint|create|default|delete|drop|enable|execute|for|force|foreign|from|function|grant|index|insert|is|key|language|not|null|on|or|policy|primary|references|replace|restrictive|returns|revoke|role|row level security|schema|select|set|table|to|trigger|type|unique|update|using|with)\b/g;

/** SQL with colours on a terminal, and as it is elsewhere. */
export function colourSql(sql: string): string {
  if (!colours.isColorSupported) return sql;
  const parts: string[] = [];
  let code = "";
  const flush = () => {
    parts.push(code.replace(keywords, (word) => colours.blue(word)));
    code = "";
  };
  for (const { text, kind } of tokenize(sql)) {
    if (kind === "code" || kind === "name") {
      code += text;
      continue;
    }
    flush();
    parts.push(kind === "comment" ? colours.dim(text) : colours.green(text));
  }
  flush();
  return parts.join("");
}
