/** What a database and the migration files do not have in common, by version alone. */
export interface Versions {
  /** The files that the database has not seen: it is behind. */
  readonly pending: readonly string[];
  /** The versions that the database has and no file has: it is ahead, or files are missing. */
  readonly unknown: readonly string[];
}

/** Which versions a database is behind by, and which it is ahead by, as lines to read. */
export function describeVersions({ pending, unknown }: Versions): string[] {
  return [
    ...withTitle("The database is behind. Not applied yet:", pending),
    ...withTitle("The database is ahead. It has versions that no file here has:", unknown),
  ];
}

function withTitle(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? [title, ...lines.map((line) => `  ${line}`)] : [];
}
