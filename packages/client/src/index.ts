export type { RetryOptions } from "./backoff.ts";
export { type Client, createClient } from "./client.ts";
export type {
  AllOptions,
  Collection,
  CountOptions,
  Embedded,
  GetOptions,
  ListOptions,
  Page,
  ReadOptions,
  Sort,
  With,
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
export {
  allMethod,
  type Connection,
  connect,
  countMethod,
  createManyMethod,
  createMethod,
  deleteMethod,
  getMethod,
  listMethod,
  updateMethod,
} from "./methods.ts";
export type { CallOptions, ClientOptions, RequestEvent } from "./options.ts";
export type { TokenSource } from "./token.ts";
export type {
  ColumnKind,
  DatabaseTable,
  KeyedTable,
  TableInfo,
  TableInfos,
  TableTypes,
} from "./types.ts";
export { uuidv7 } from "./uuid.ts";
export type { Comparisons, FullText, Where } from "./where.ts";
