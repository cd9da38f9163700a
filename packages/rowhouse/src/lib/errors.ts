/** Every code that a RowhouseError can carry; docs/errors.md lists cause and remedy of each. */
export type ErrorCode =
  | "project_missing"
  | "file_exists"
  | "file_unusable"
  | "too_many_files"
  | "disk_full"
  | "lock_missing"
  | "lock_invalid"
  | "upgrade_refused"
  | "settings_invalid"
  | "home_in_use"
  | "servers_left"
  | "home_not_writable"
  | "home_empty"
  | "port_in_use"
  | "data_other_version"
  | "binary_missing"
  | "postgres_failed"
  | "postgrest_failed"
  | "sign_in_failed"
  | "sign_in_off"
  | "stack_not_running"
  | "keys_failed"
  | "database_unreachable"
  | "database_refused"
  | "database_not_migrated"
  | "migration_failed"
  | "platform_failed"
  | "platform_unnamed"
  | "version_unsupported"
  | "folder_not_empty"
  | "api_unknown"
  | "init_failed"
  | "adopt_refused"
  | "api_stale"
  | "requests_fail"
  | "declaration_failed"
  | "declaration_refused"
  | "plan_unproven"
  | "step_refused"
  | "types_stale"
  | "access_stale"
  | "tests_red"
  | "tests_missing"
  | "no_mutants"
  | "users_missing"
  | "users_hidden"
  | "rows_hidden"
  | "user_unknown"
  | "user_ambiguous"
  | "table_unknown"
  | "row_unknown"
  | "claims_invalid"
  | "row_invalid"
  | "verdict_unknown"
  | "query_timeout"
  | "slow_unrecorded"
  | "statement_unknown"
  | "plan_unknown"
  | "secret_cannot_sign"
  | "not_confirmed"
  | "backup_failed"
  | "backup_unknown"
  | "backup_damaged"
  | "restore_refused"
  | "restore_failed"
  | "tool_missing"
  | "map_invalid"
  | "edge_failed"
  | "move_refused"
  | "move_failed"
  | "move_unfinished";

/**
 * A failure that a person can do something about. The command line prints its message and
 * remedy, without a stack trace, and exits with 1.
 */
export class RowhouseError extends Error {
  override readonly name = "RowhouseError";
  readonly code: ErrorCode;
  readonly remedy: string;

  /**
   * @param code Stable: it may be matched by programs.
   * @param message What was wrong and where: one sentence.
   * @param remedy What to do about it: one sentence or more.
   */
  constructor(code: ErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}

/** The text of anything thrown, for putting into a message. */
export function errorMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(errorMessage).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}

/** The code property of a system or PostgreSQL error ("ENOENT", "28P01"), if it has one. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
