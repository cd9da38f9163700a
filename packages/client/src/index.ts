export type { RetryOptions } from "./backoff.ts";
export { type Client, createClient } from "./client.ts";
export type {
  AllOptions,
  Collection,
  CountOptions,
  GetOptions,
  ListOptions,
  Page,
  ReadOptions,
  WriteOptions,
} from "./collection-types.ts";
export {
  AbortedError,
  ApiError,
  ConflictError,
  DeadlineError,
  type ErrorFacts,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  RateLimitedError,
  SignedOutError,
  StaleError,
  TooLargeError,
  UnavailableError,
} from "./errors.ts";
export type { CallOptions, ClientOptions, RequestEvent } from "./options.ts";
export type { TokenSource } from "./token.ts";
export type {
  ColumnKind,
  Comparisons,
  DatabaseTable,
  Embed,
  Embedded,
  OwnedTable,
  TableInfo,
  TableInfos,
  TableTypes,
  Where,
} from "./types.ts";
