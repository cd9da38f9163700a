/**
 * The lines in which two texts differ, as `diff` shows them: "- old", "+ new", with the equal
 * lines in between left out.
 */
export function changedLines(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const common = commonLengths(old, now);
  /** Whether more stays in common when the new line comes first. */
  const skips = (i: number, j: number) =>
    j < now.length && (common[i]?.[j + 1] ?? 0) > (common[i + 1]?.[j] ?? 0);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [gone, come] = [old[i], now[j]];
    if (gone === undefined || (gone !== come && skips(i, j))) {
      lines.push(`+ ${come}`);
      j += 1;
    } else {
      if (gone !== come) lines.push(`- ${gone}`);
      else j += 1;
      i += 1;
    }
  }
  return lines;
}

/** How many lines the rests of both texts have in common, from each pair of lines on. */
function commonLengths(old: readonly string[], now: readonly string[]): number[][] {
  const lengths = Array.from({ length: old.length + 1 }, () =>
    Array<number>(now.length + 1).fill(0),
  );
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const length =
        old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      (lengths[i] as number[])[j] = length;
    }
  }
  return lengths;
}
