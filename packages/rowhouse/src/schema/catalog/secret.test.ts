import { expect, test } from "vitest";
import { isSecretSetting } from "./secret.ts";

test.each([
  ["app.jwt_secret", "x", true],
  ["app.mailer", "smtp://me:word@example.org", true],
  ["app.site", "https://example.org:8080/@me", false],
  ["app.monkeys", "x", true],
  ["search_path", "a, b", false],
])("the setting %s of %s: is a secret is %s", (name, value, expected) => {
  expect(isSecretSetting(name, [value])).toBe(expected);
});
