import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";

/**
 * Turns an error of the file system into one with a remedy; returns any other error as it is.
 *
 * @param remedy What to do when the disk is full.
 */
export function toDiskError(
  error: unknown,
  code: "backup_failed" | "restore_failed",
  remedy: string,
): unknown {
  const errno = errorCode(error) ?? "";
  if (error instanceof RowhouseError || !/^E[A-Z]{3,}$/.test(errno)) return error;
  const isFull = errno === "ENOSPC" || errno === "EDQUOT";
  return new RowhouseError(
    code,
    `${isFull ? "The disk is full" : "The file system refuses"}: ${errorMessage(error)}.`,
    isFull ? remedy : "Check the rights on the folder, and that its disk is there and writable.",
    { cause: error },
  );
}
