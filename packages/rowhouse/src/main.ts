#!/usr/bin/env node
import { closeSync, openSync } from "node:fs";
import module from "node:module";
import { errorCode, errorMessage, RowhouseError } from "./lib/errors.ts";
import { printBug, printFailure } from "./lib/output.ts";

// A reader that has gone (a closed terminal, `| head`) takes no more lines: no reason to fail, and
// none to leave servers running.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const fileErrors = new Set(["EACCES", "EISDIR", "ENOENT", "ENOTDIR", "EPERM", "EROFS"]);

// Node.js 22 and later keep what they have compiled for the next run; 20 has no such cache.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();

try {
  // Imported here: a few hundred files, for which a limit on open files can be too low.
  const { createProgram } = await import("./program.ts");
  const program = await createProgram(process.argv.slice(2));
  if (process.argv.length <= 2) program.help();
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  const failure = toRowhouseError(error);
  if (failure instanceof RowhouseError) printFailure(failure);
  else printBug(failure);
}

/** Whether an error is about a path of the user's: programs that cannot be started are reported elsewhere. */
function isFileError(error: unknown): boolean {
  const { path, syscall } = error as { path?: unknown; syscall?: unknown };
  const isFile = typeof path === "string" && !String(syscall).startsWith("spawn");
  return isFile && fileErrors.has(errorCode(error) ?? "");
}

/** Opens as many files as this program does while it is loaded. @returns The error, if that fails. */
function openMany(): unknown {
  const opened: number[] = [];
  try {
    while (opened.length < 200) opened.push(openSync(process.execPath, "r"));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    for (const file of opened) closeSync(file);
  }
}

/** What the machine has run out of, whatever the command was doing. */
function toShortage(error: unknown): RowhouseError | undefined {
  switch (errorCode(error)) {
    case "ERR_MODULE_NOT_FOUND":
      // Node.js reports a package that it may not open as one that is missing.
      return toShortage(openMany());
    case "EMFILE":
    case "ENFILE":
      return new RowhouseError(
        "too_many_files",
        `No more files may be open: ${errorMessage(error)}.`,
        "Raise the limit, as with `ulimit -n 1024`, or stop what holds many files open.",
        { cause: error },
      );
    case "ENOSPC":
    case "EDQUOT":
      // A watch is no place on a disk: inotify_add_watch(2).
      if ((error as { syscall?: unknown }).syscall === "watch") return tooManyWatches(error);
      return new RowhouseError(
        "disk_full",
        `The disk is full: ${errorMessage(error)}.`,
        "Make room on the disk of the home, of the project or of the folder for temporary files, and try again.",
        { cause: error },
      );
    default:
      return undefined;
  }
}

function tooManyWatches(cause: unknown): RowhouseError {
  return new RowhouseError(
    "too_many_files",
    `No more files and folders may be watched: ${errorMessage(cause)}.`,
    "Raise the limit, as with `sysctl fs.inotify.max_user_watches=65536`, or stop what watches many.",
    { cause },
  );
}

/** Whatever a command does, the role that it does it with may lack the right (SQLSTATE 42501). */
function toRowhouseError(error: unknown): unknown {
  if (error instanceof RowhouseError) return error;
  const shortage = toShortage(error);
  if (shortage !== undefined) return shortage;
  if (isFileError(error)) {
    return new RowhouseError(
      "file_unusable",
      `A file cannot be read or written: ${errorMessage(error)}.`,
      "Check that its folder exists, and that you may read and write it.",
      { cause: error },
    );
  }
  if (errorCode(error) !== "42501") return error;
  return new RowhouseError(
    "database_refused",
    `The role in the database's URL is not allowed to do this: ${errorMessage(error)}.`,
    "Use the role that owns the tables, or a role with this privilege.",
    { cause: error },
  );
}
