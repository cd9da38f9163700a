/** Tells the benchmark on which port the server listens. */
export function report(port) {
  process.stdout.write(`listening on ${port}\n`);
}
