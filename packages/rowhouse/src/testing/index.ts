/**
 * What the tests of a project need: a backend on a database of its own, callers with tokens, the
 * attempts of two users on every owned table, and Vitest's plugin for pgTAP files.
 */
export { waitFor } from "../lib/wait.ts";
export { withClient } from "../stack/database.ts";
export { freePort } from "../stack/ports.ts";
export {
  type Answer,
  type Api,
  type Ask,
  type Caller,
  caller,
  claimsFor,
  secret,
  sign,
  signIn,
  startApi,
} from "./api.ts";
export { type Backend, startBackend, type TestRow } from "./backend.ts";
export { cloneDatabase, emptyDatabase, migratedClone } from "./database.ts";
export { pgtapFiles } from "./plugin.ts";
export * from "./proxy.ts";
export { newSeed, randomly } from "./random.ts";
export {
  createRows,
  errorAnswer,
  newId,
  oneRow,
  readRows,
  returnRows,
} from "./requests.ts";
export { twoUserAttempts } from "./two-user-attempts.ts";
export type { NotTried, TwoUserAttempt } from "./two-users/attempts.ts";
export type { Actor, Expected, RequestPlan } from "./two-users/matrix.ts";
export type { TwoUserAttempts } from "./two-users/run.ts";
