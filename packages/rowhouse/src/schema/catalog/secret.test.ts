import { expect, test } from "vitest";
import { isSecretSetting } from "./secret.ts";

test.each([
  ["app.jwt_secret", "x", true],
  ["app.mailer", "smtp://me:word@example.org", true],
  ["app.site", "https://example.org:8080/@me", false],
  ["app.monkeys", "x", true],
  ["search_path", "a, b", false],
  ["app.source", "host=db user=me password=word", true],
  ["app.source", "host=db user=me", false],
  ["app.header", "Bearer abc", true],
  ["app.api_pw", "x", true],
  ["app.apipw", "x", true],
  ["app.smtp_pwd", "x", true],
  ["app.smtp_pass", "x", true],
  ["app.upward", "x", false],
  ["app.passive", "x", false],
  ["app.bearer", "x", true],
  ["app.credentials", "x", true],
  ["app.private", "x", true],
])("the setting %s of %s: is a secret is %s", (name, value, expected) => {
  expect(isSecretSetting(name, [value])).toBe(expected);
});
