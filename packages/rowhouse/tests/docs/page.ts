/** The first code block after a line of a page, without its fences. */
export function blockAfter(page: string, line: string): string {
  const start = page.indexOf(line);
  const block = /```\w*\n(.*?)```/s.exec(page.slice(start))?.[1];
  if (start < 0 || block === undefined) throw new Error(`No code block after "${line}".`);
  return block;
}
