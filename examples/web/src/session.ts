import { createRowhouse } from "../../../client/index.ts";
import { apiUrl } from "./api.ts";

/** The dev server sets it (page.ts); a build takes VITE_AUTH_URL from its environment. */
const url: string = import.meta.env.VITE_AUTH_URL ?? "http://127.0.0.1:3001/auth";

/** The client of whoever is signed in here, and `db.auth`. */
export const db = createRowhouse({ url: apiUrl, auth: { url } });
