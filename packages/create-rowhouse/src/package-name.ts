/** The folder, and so the package, when none is given. */
export const defaultName = "my-app";

const maxLength = 214;
const reserved = new Set(["node_modules", "favicon.ico"]);

/**
 * Whether npm accepts a text as the name of a new package: lower case, URL-safe, at most 214
 * characters, no leading dot, underscore or hyphen.
 */
export function isPackageName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= maxLength && !reserved.has(name);
}

/** The package name nearest to a text: "My App" becomes "my-app". */
export function suggestPackageName(text: string): string {
  const name = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .slice(0, maxLength)
    .replace(/^[._-]+|[._-]+$/g, "");
  return isPackageName(name) ? name : defaultName;
}
