/** A span of time for people: "3 s", "12 min", "5 h", "2 d". */
export function span(seconds: number): string {
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, "s"];
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`;
}

const units: readonly (readonly [size: number, unit: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
];

/** How long ago something was, for people; "none yet" when it never was. */
export function ago(at: string | undefined, none = "none yet"): string {
  return at === undefined ? none : `${span(secondsSince(at))} ago`;
}

/** The seconds since a moment in ISO 8601. */
export function secondsSince(at: string): number {
  return (Date.now() - Date.parse(at)) / 1000;
}

/** A size for people: "8.1 MB". */
export function size(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

/** A share for people: "99.2 %". */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** A point in time for the name of a file or folder, in UTC: "20261121T030000Z". */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}

/**
 * An argument for a shell, quoted where it has to be.
 *
 * @param always Whether to quote it even where it need not be.
 */
export function quoteForShell(text: string, always = false): string {
  return /^[\w.:/%-]+$/.test(text) && !always ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
