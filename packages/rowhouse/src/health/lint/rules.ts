import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { anonymousWrites } from "./anonymous-writes.ts";
import { faultRules } from "./fault-rules.ts";
import { plannedCounts } from "./planned-counts.ts";
import { levels, type Rule } from "./rule.ts";

const rulesDir = join(import.meta.dirname, "rules");

/** All rules, by name. */
export function readRules(): Rule[] {
  const rules = [...faultRules, plannedCounts, anonymousWrites].map(
    (rule): Rule => ({ ...rule, query: undefined }),
  );
  return [...rules, ...readFiles()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function readFiles(): Rule[] {
  return readdirSync(rulesDir).map((file) => {
    const query = readFileSync(join(rulesDir, file), "utf8");
    return {
      name: basename(file, ".sql"),
      level: levels.find((level) => level === header(query, "level")) ?? "error",
      scope: header(query, "scope") === "convention" ? "convention" : "any",
      why: header(query, "why"),
      remedy: header(query, "do"),
      cost: header(query, "cost"),
      query,
    };
  });
}

/** The text after "-- <word>: ", to the next such line or the end of the comment. */
function header(query: string, word: string): string {
  const lines = query.match(new RegExp(`^-- ${word}: .*(?:\\n--   .*)*`, "m"))?.[0] ?? "";
  return lines
    .replace(`-- ${word}: `, "")
    .replace(/\n-- +/g, " ")
    .trim();
}

/** What `lint` says of its own settings: no rules, since they are about no database. */
export const ownRules: readonly Rule[] = [
  {
    name: "conventions",
    level: "note",
    scope: "any",
    why: "request.user_id() and request.plannable() are not both there: this project does not follow Rowhouse's conventions, so what breaks them is only counted.",
    remedy: "Nothing. `--rule <name>` lists what one of them finds.",
    cost: "One line.",
    query: undefined,
  },
  {
    name: "refused_waivers",
    level: "error",
    scope: "any",
    why: "A waiver without a reason, or of a rule that there is not, waives nothing.",
    remedy: "Write it as a line of the comment: lint: allow <rule>: <reason>",
    cost: "Nothing where no comment has such a line.",
    query: undefined,
  },
  {
    name: "unused_settings",
    level: "note",
    scope: "any",
    why: "What is switched off or waived for nothing hides what comes later.",
    remedy:
      "Take the entry out of package.json, or the line out of the comment; or correct the name.",
    cost: "Nothing where nothing is switched off.",
    query: undefined,
  },
];
