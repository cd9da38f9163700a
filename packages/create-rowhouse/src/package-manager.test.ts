import { expect, test } from "vitest";
import { createCommand, detectPackageManager, installAndStart } from "./package-manager.ts";

test.each([
  ["npm/11.19.1 node/v20.20.2 linux x64 workspaces/false", "npm"],
  ["pnpm/10.34.8 npm/? node/v22.23.3 linux x64", "pnpm"],
  ["yarn/1.22.22 npm/? node/v20.20.2 linux x64", "yarn"],
  ["bun/1.3.0 npm/? node/v24.3.0 linux x64", "bun"],
  ["another/1.0.0", "npm"],
  ["", "npm"],
  [undefined, "npm"],
])("The user agent %j is that of %s", (userAgent, manager) => {
  expect(detectPackageManager(userAgent)).toBe(manager);
});

test.each([
  ["npm", "npm install && npm start"],
  ["pnpm", "pnpm install && pnpm start"],
  ["yarn", "yarn install && yarn start"],
  ["bun", "bun install && bun run start"],
] as const)("%s installs and starts with %j", (manager, command) => {
  expect(installAndStart(manager)).toBe(command);
});

test("The command to create a project names the package manager", () => {
  expect(createCommand("pnpm", "my-app")).toBe("pnpm create rowhouse my-app");
});
