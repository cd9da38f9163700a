export { waitFor } from "../lib/wait.ts";
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
export { cloneDatabase, emptyDatabase } from "./database.ts";
export { pgtapFiles } from "./plugin.ts";
