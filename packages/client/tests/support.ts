// The one file that imports the test helpers of the tool: `rowhouse/testing` will replace it.
export { projectRoot } from "../../../cli/project.ts";
export { withClient } from "../../../cli/stack/database.ts";
export { type Backend, newId, startBackend } from "../../../tests/http/backend.ts";
export { type Api, claimsFor, sign, signIn, startApi } from "../../../tests/support/api.ts";
export { newHome, rowhouse } from "../../../tests/support/cli.ts";
export { cloneDatabase, migratedClone } from "../../../tests/support/database.ts";
// For the types of what it provides to `inject`.
export type * from "../../../tests/support/global-setup.ts";
export * from "../../../tests/support/proxy.ts";
export { newSeed, randomly } from "../../../tests/support/random.ts";
