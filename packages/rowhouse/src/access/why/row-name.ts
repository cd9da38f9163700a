/**
 * The values in the name of a row: commas stand between them, and a value with a comma or a quote in it
 * stands in quotes, as in CSV ("" is a quote). Null where quotes do not close.
 */
export function parseRowName(name: string): readonly string[] | null {
  const fields = /(?:"((?:[^"]|"")*)"|([^",][^,]*|))(,|$)/y;
  const values: string[] = [];
  for (let more = true; more; ) {
    const field = fields.exec(name);
    if (field === null) return null;
    const [, quoted, plain = "", end] = field;
    values.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    more = end === ",";
  }
  return values;
}

/** The name of a row by its values, as it is asked for. A single value stands as it is. */
export function formatRowName(values: readonly unknown[]): string {
  const texts = values.map(String);
  if (texts.length === 1) return texts.join();
  return texts
    .map((text) => (/^"|,/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
    .join(",");
}
