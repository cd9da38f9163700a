// The one file that imports the test helpers of the tool.
export { withClient } from "../../rowhouse/src/stack/database.ts";
export { type Api, claimsFor, sign, signIn, startApi } from "../../rowhouse/src/testing/api.ts";
export { cloneDatabase, migratedClone } from "../../rowhouse/src/testing/database.ts";
export { type Backend, newId, startBackend } from "../../rowhouse/tests/http/backend.ts";
export { newHome, rowhouse } from "../../rowhouse/tests/support/cli.ts";
// For the types of what it provides to `inject`.
export type * from "../../rowhouse/tests/support/global-setup.ts";
export { projectRoot } from "../../rowhouse/tests/support/project.ts";
export * from "../../rowhouse/tests/support/proxy.ts";
export { newSeed, randomly } from "../../rowhouse/tests/support/random.ts";
