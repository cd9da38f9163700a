const known = ["npm", "pnpm", "yarn", "bun"] as const;

/** A package manager that can install a project. */
export type PackageManager = (typeof known)[number];

/**
 * The package manager that started this process.
 *
 * @param userAgent The variable npm_config_user_agent, which each of them sets: "pnpm/10.1.0 npm/? ...".
 * @returns npm when it is unset or names another.
 */
export function detectPackageManager(userAgent: string | undefined): PackageManager {
  const name = userAgent?.split("/")[0];
  return known.find((manager) => manager === name) ?? "npm";
}

/** The command that installs a project and starts it. */
export function installAndStart(manager: PackageManager): string {
  const start = manager === "bun" ? "bun run start" : `${manager} start`;
  return `${manager} install && ${start}`;
}

/** The command that creates a project in a folder. */
export function createCommand(manager: PackageManager, folder: string): string {
  return `${manager} create rowhouse ${folder}`;
}
