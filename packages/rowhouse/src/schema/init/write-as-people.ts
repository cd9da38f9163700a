import { parseStatement } from "../catalog/sql.ts";

/** Writes a planned statement a little more as a person does; what parses otherwise stays as it was. */
export function tidy(sql: string): string {
  const tidied = sql
    .replace(/^create or replace (?=function|procedure)/, "create ")
    .replace(/^(create (?:function|procedure) \S+) \(\n([\s\S]*?)\n\)\n/, joinArguments)
    .replace(/^(create (?:materialized )?view [^']*?)\s+as\s+select\b/, "$1\nas\nselect")
    .replace(/^create extension (?=.* schema )/, "create extension if not exists ")
    .replace(/^create sequence [\s\S]*$/, withoutDefaults)
    .replace(/;$/, "");
  return withoutPlaces(tidied) === withoutPlaces(sql) || isMeant(sql) ? tidied : sql;
}

/** `or replace` and the defaults of sequences go, and `if not exists` comes. */
function isMeant(sql: string): boolean {
  return /^create (or replace |extension |sequence )/.test(sql);
}

/** The name apart from the options: it may hold anything. */
const createSequence =
  /^create sequence ((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)([\s\S]*)$/;

function withoutDefaults(sql: string): string {
  const [, head = "", rest] = createSequence.exec(sql) ?? [];
  if (rest === undefined) return sql;
  const options = rest.replace(/\s+/g, " ");
  const shorter = options
    .replace(/ cache 1\b/, "")
    .replace(/ no cycle\b/, "")
    .replace(/ as bigint\b/, "");
  // Limits and the start follow from one another, and from the direction.
  const isPlain = / increment by [1-9]/.test(options) && / minvalue 1\b/.test(options);
  if (!isPlain) return `create sequence ${head}${shorter}`;
  const shortest = shorter
    .replace(/ increment by 1\b/, "")
    .replace(/ minvalue 1\b/, "")
    .replace(/ maxvalue (9223372036854775807|(?<=as integer.*)2147483647)\b/, "")
    .replace(/ start with 1\b/, "");
  return `create sequence ${head}${shortest}`;
}

function withoutPlaces(sql: string): string {
  return JSON.stringify(parseStatement(sql), (key, value) =>
    key === "location" || key.endsWith("_location") || key === "stmt_len" ? undefined : value,
  );
}

function joinArguments(_: string, head: string, lines: string): string {
  const names = lines.split("\n").map((line) => line.trim().replace(/^(\S+)\s+/, "$1 "));
  const joined = `${head}(${names.join(" ")})`;
  return joined.length <= 100
    ? `${joined}\n`
    : `${head}(\n${names.map((one) => `  ${one}`).join("\n")}\n)\n`;
}
