/** Text that Markdown shows as it is, also in a table. */
export function markdownText(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*[\]<>|~&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&")
    .replace(/^(?:[#+=-]|\d+(?=[.)]))/, (start) =>
      /\d/.test(start) ? `${start}\\` : `\\${start}`,
    );
}

/** SQL as a code span of Markdown, also in a table. Line breaks, inside strings, show as ↵. */
export function markdownCode(sql: string): string {
  const line = sql.replace(/\r?\n/g, "↵");
  const runs = [...line.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = "`".repeat(Math.max(0, ...runs) + 1);
  const space = /^`|`$/.test(line) ? " " : "";
  // Table cells end at a bar, also inside of code; there the backslash before it is not shown.
  return `${fence}${space}${line.replaceAll("|", "\\|")}${space}${fence}`;
}

/** Text for XML, in elements and attributes; what XML cannot hold shows as �. */
export function xmlText(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
