import { colours } from "./colours.ts";

const escapeCharacter = String.fromCharCode(27);

/** What may pass: the colours that we print ourselves, and the end of a line under Windows. */
const kept = [
  ...(colours.isColorSupported ? [`${escapeCharacter}\\[(?:1|2|22|3[1-46]|39)m`] : []),
  "\\r(?=\\n)",
];

/** Control characters, those of terminals and those that turn the direction of text around. */
const controls = new RegExp(
  `(${kept.join("|")})|[^\\P{Cc}\\n\\t]|[\\u202a-\\u202e\\u2066-\\u2069]`,
  "gu",
);

/**
 * A text that does nothing to a terminal but stand on it: names and rows come from other people.
 * Their control characters are written out, as in JSON.
 */
export function visible(text: string): string {
  return text.replace(
    controls,
    (found, ours?: string) => ours ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
