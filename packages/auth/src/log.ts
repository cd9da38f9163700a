/** Writes a line to the service's log, which is its standard error. Never a secret or a token. */
export function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
