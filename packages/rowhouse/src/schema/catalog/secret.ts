/**
 * What settings look like ("name=value") that hold a secret: by their name, or with a password in a URL or
 * in libpq's words, or with a bearer token. JavaScript and PostgreSQL read it alike; case does not count.
 */
export const secretSetting =
  "^[^=]*(secret|passw|passphrase|pass(?![a-z])|pwd|pw(?![a-z])|token|key|bearer|credential|private)[^=]*=|://[^/:@ ]*:[^/@ ]+@|password *=|bearer ";

/** Whether a setting looks like a secret. */
export function isSecretSetting(name: string, values: readonly string[]): boolean {
  return new RegExp(secretSetting, "i").test(`${name}=${values.join(", ")}`);
}
