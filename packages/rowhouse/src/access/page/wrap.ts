/** How many columns a text takes in a font of fixed width; wide characters take two. */
export function textWidth(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (/[\u1100-\u{10ffff}]/u.test(character) ? 2 : 1),
    0,
  );
}

/** Breaks a text into lines, between words where it can; what does not fit ends with "…". */
export function wrap(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).flatMap((one) => pieces(one, width))) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last !== undefined && textWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  if (lines.length <= most) return lines;
  const [end = ""] = pieces(lines[most - 1] ?? "", width - 2);
  return [...lines.slice(0, most - 1), `${end} …`];
}

/** A word cut into what fits on a line. */
function pieces(word: string, width: number): string[] {
  const cut = [""];
  for (const character of word) {
    const last = cut.at(-1) ?? "";
    if (textWidth(last + character) <= width) cut[cut.length - 1] = last + character;
    else cut.push(character);
  }
  return cut;
}
