export { type ErrorCode, RowhouseError } from "./lib/errors.ts";
export { openProject, type Project } from "./lib/project.ts";
export { withDatabase } from "./stack/embedded.ts";
export { type Home, openHome } from "./stack/home.ts";
export { readSettings, type Settings } from "./stack/settings.ts";
export { type Stack, startStack } from "./stack/stack.ts";
export { findOrCreateUser, signToken, type TokenOptions } from "./stack/token.ts";
