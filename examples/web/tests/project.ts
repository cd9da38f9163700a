import { join } from "node:path";

/** The project that the example belongs to: the top level of the repository. */
export const projectRoot = join(import.meta.dirname, "../../..");
