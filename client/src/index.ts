export type { RetryOptions } from "./backoff.ts";
export { createRowhouse, type Rowhouse, type User } from "./client.ts";
export type { Database } from "./database.types.ts";
export {
  AbortedError,
  ConflictError,
  DeadlineError,
  type ErrorFacts,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  RateLimitedError,
  RowhouseError,
  SignedOutError,
  StaleError,
  TooLargeError,
  UnavailableError,
} from "./errors.ts";
export type { CallOptions, RequestEvent, RowhouseOptions } from "./options.ts";
export type { GetOptions, ListOptions, Page, ReadOptions, Table, WriteOptions } from "./table.ts";
export type { TokenSource } from "./token.ts";
export type {
  Comparisons,
  Embed,
  Embedded,
  NewRow,
  OwnedTable,
  Patch,
  Row,
  Where,
} from "./types.ts";
