import { randomUUID } from "node:crypto";
import { errorMessage } from "./errors.ts";

/**
 * A number of JSON that a JavaScript number does not print as it was written: a bigint of many digits, 1e400,
 * -0 or 12.50. PostgreSQL knows the difference, and so do policies that compare texts.
 */
export class JsonNumber {
  /** As it was written. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** For JSON.stringify, which cannot write such numbers: the digits, as a text. */
  toJSON(): string {
    return this.text;
  }
}

/** What begins or ends a string, an escape within one, and numbers: no pattern for strings, whose length has no limit. */
const tokens = /"|\\.|-?\d[\d.]*(?:e[+-]?\d+)?/gi;

/**
 * Parses JSON like JSON.parse, and rounds no number: one that JavaScript cannot print as it was written becomes a
 * JsonNumber.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  // No string of the text can begin with it.
  const mark = randomUUID();
  let marked = false;
  let inString = false;
  const kept = text.replaceAll(tokens, (token) => {
    if (token === '"') inString = !inString;
    if (inString || token === '"' || String(Number(token)) === token) return token;
    marked = true;
    return `"${mark}${token}"`;
  });
  if (!marked) return plain;
  return JSON.parse(kept, (_, value) =>
    typeof value === "string" && value.startsWith(mark)
      ? new JsonNumber(value.slice(mark.length))
      : value,
  );
}

/** How a value is written as JSON. */
interface Format {
  /** By how much what is nested is indented; all on one line when missing. */
  readonly space?: number;
  /** The form of a number; as it was written when missing. */
  readonly number?: (literal: string) => string;
}

/** Writes what parseJson gives as JSON, like JSON.stringify; each JsonNumber as it was written. */
export function stringifyJson(
  value: unknown,
  { space, number = (literal) => literal }: Format = {},
): string {
  const mark = randomUUID();
  const marked = JSON.stringify(
    value,
    function (this: Record<string, unknown>, key: string, shown: unknown) {
      const own = this[key];
      const isNumber = own instanceof JsonNumber || Number.isFinite(own);
      return isNumber ? `${mark}${number(String(own))}` : shown;
    },
    space,
  );
  return marked.replaceAll(new RegExp(`"${mark}([^"]*)"`, "g"), "$1");
}

/**
 * The JSON object that an option holds, with numbers as parseJson gives them.
 *
 * @param fault Makes the error of a text that is no JSON object.
 */
export function parseJsonObject(
  json: string,
  option: string,
  fault: (message: string) => Error,
): Readonly<Record<string, unknown>> {
  const parsed = parseOption(json, option, fault);
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return Object.fromEntries(Object.entries(parsed));
  }
  throw fault(`${option} is JSON, but not an object.`);
}

function parseOption(json: string, option: string, fault: (message: string) => Error): unknown {
  try {
    return parseJson(json);
  } catch (error) {
    throw fault(`${option} is not JSON: ${errorMessage(error)}.`);
  }
}
