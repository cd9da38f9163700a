/**
 * Literals that JavaScript may round have at least sixteen digits, or an exponent. What is before a
 * number tells it from most strings: a UUID would often look like one with an exponent.
 */
const suspicious = /(^|[[:,\s])-?([\d.]{16}|\d[\d.]*e)/i;

/** A string, or a number outside of strings. */
const stringsAndNumbers = /"([^"\\]|\\.)*"|-?\d[\d.]*(e[+-]?\d+)?/gi;

/**
 * A JSON text in which each number that JavaScript would round is a string instead.
 *
 * @param text Valid JSON; of anything else, the parser will complain.
 */
export function keepDigits(text: string): string {
  if (!suspicious.test(text)) return text;
  return text.replaceAll(stringsAndNumbers, (literal) =>
    literal.startsWith('"') || isExact(literal) ? literal : `"${literal}"`,
  );
}

/** Whether a JavaScript number has the value of a literal, to the last digit. */
export function isExact(literal: string): boolean {
  return normalize(literal) === normalize(String(Number(literal)));
}

/** The digits of a decimal number without zeros around them, and the exponent that goes with them. */
function normalize(literal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(literal);
  if (match === null) return literal; // Infinity: no literal of JSON.
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const scale = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${sign}${significant}e${scale}`;
}
