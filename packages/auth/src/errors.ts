/** A fault that whoever runs the service can do something about. */
export class AuthError extends Error {
  override name = "AuthError";
  readonly code: string;
  readonly remedy: string;

  /**
   * @param code Stable: programs may match it.
   * @param message What was wrong: a sentence.
   * @param remedy What to do about it: a sentence or more.
   */
  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}

/** How a fault is shown, in two lines where it has a remedy. */
export function describeError(error: unknown): string {
  if (error instanceof AuthError) return `[${error.code}] ${error.message}\n${error.remedy}`;
  return error instanceof Error ? error.message : String(error);
}
