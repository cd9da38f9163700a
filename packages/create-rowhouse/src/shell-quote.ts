/** A text as one word of a POSIX shell: quoted when it has to be. */
export function shellQuote(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) && !text.startsWith("-")
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
