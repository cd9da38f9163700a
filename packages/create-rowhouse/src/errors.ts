/** A failure that a person can fix. The command prints both texts and exits with 1. */
export class CreateError extends Error {
  override readonly name = "CreateError";
  readonly remedy: string;

  /**
   * @param message What is wrong and where: one sentence.
   * @param remedy What to do about it: one sentence or more.
   */
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** The text of anything thrown, to be put into a message. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error, such as "ENOENT". */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
