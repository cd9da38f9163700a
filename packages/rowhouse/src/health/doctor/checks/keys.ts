import { existsSync, readFileSync, statSync } from "node:fs";
import { lacksKid, secretFault } from "../../../stack/jwt-secret.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

const leastPassword = 16;

/** Keys that are short, cannot be parsed, or can be read by others. */
export function checkKeys({ settings, home }: Pick<DoctorContext, "settings" | "home">): Finding[] {
  const { secretFile: kept, passwordFile, authSecretFile, keysFile } = home;
  const { jwtSecret, authenticatorPassword, identityPassword } = settings;
  const name = jwtSecret === undefined ? `The secret in ${kept}` : "JWT_SECRET";
  const secret = jwtSecret ?? (existsSync(kept) ? readFileSync(kept, "utf8").trim() : undefined);
  const fault = secret === undefined ? undefined : secretFault(secret);
  return [
    ...(fault ? [wrong(`${name} ${fault}.`, "Make one: `openssl rand -hex 32`. Restart.")] : []),
    ...(secret !== undefined && fault === undefined && lacksKid(secret) ? [kidFinding(name)] : []),
    ...passwordFinding("AUTHENTICATOR_PASSWORD", authenticatorPassword),
    ...passwordFinding("IDENTITY_PASSWORD", identityPassword),
    // The keys' file holds JWT_SECRET, too.
    ...[kept, passwordFile, authSecretFile, keysFile].flatMap(readableFinding),
  ];
}

function passwordFinding(name: string, password: string | undefined): Finding[] {
  if (password === undefined || password.length >= leastPassword) return [];
  return [
    wrong(
      `${name} has ${password.length} characters.`,
      "Make one: `openssl rand -hex 32`. Set it in the database, too.",
    ),
  ];
}

function kidFinding(name: string): Finding {
  return {
    level: "note",
    message: `${name} holds a key without kid: PostgREST 13 and later refuse a token that names its key.`,
    remedy: "Give each key the kid that its tokens have in their header.",
  };
}

function readableFinding(file: string): Finding[] {
  if (!existsSync(file) || (statSync(file).mode & 0o077) === 0) return [];
  return [wrong(`Others on this machine may read ${file}.`, `chmod 600 ${file}`)];
}
