import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { secretFault } from "./jwt-secret.ts";

/** The folder that holds all that one stack keeps: data, secrets and logs. */
export interface Home {
  readonly dir: string;
  readonly stateFile: string;
  /** With which tokens are signed. */
  readonly secretFile: string;
  /** Of the embedded server's superuser. */
  readonly passwordFile: string;
  readonly postgresLog: string;
  readonly postgrestLog: string;
  /** With which the sign-in service signs sessions and encrypts its keys. */
  readonly authSecretFile: string;
  readonly authLog: string;
  /** Mails of the sign-in service, kept where no SMTP server is set. */
  readonly mailDir: string;
  /** The public keys of the sign-in service, for PostgREST. */
  readonly keysFile: string;
}

/** The places in a home, whether it is made yet or not. */
export function getHome(dir: string): Home {
  return {
    dir,
    stateFile: join(dir, "stack.json"),
    secretFile: join(dir, "jwt-secret"),
    passwordFile: join(dir, "postgres-password"),
    postgresLog: join(dir, "postgres.log"),
    postgrestLog: join(dir, "postgrest.log"),
    authSecretFile: join(dir, "auth-secret"),
    authLog: join(dir, "auth.log"),
    mailDir: join(dir, "mail"),
    keysFile: join(dir, "jwks.json"),
  };
}

/**
 * Makes the home when it is missing, for its owner alone.
 *
 * @throws RowhouseError home_not_writable
 */
export function openHome(dir: string): Home {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    accessSync(dir, constants.W_OK);
  } catch (error) {
    throw new RowhouseError(
      "home_not_writable",
      `Cannot write to the home ${dir}: ${errorMessage(error)}.`,
      "Make it writable, or set ROWHOUSE_HOME to another folder.",
      { cause: error },
    );
  }
  return getHome(dir);
}

/**
 * The secret that tokens are signed with: 32 random bytes as hex, made at the first asking.
 *
 * @throws RowhouseError secret_cannot_sign when its file was emptied or damaged.
 */
export function jwtSecret(home: Home): string {
  const secret = readOrCreateSecret(home.secretFile);
  const fault = secretFault(secret);
  if (fault === undefined) return secret;
  throw new RowhouseError(
    "secret_cannot_sign",
    `The secret in ${home.secretFile} ${fault}.`,
    "Put the file back from a copy, or delete it and restart: there is a new secret then, and tokens signed before are refused.",
  );
}

/**
 * The password of the embedded server's superuser, made at the first asking.
 *
 * @throws RowhouseError database_refused when its file was emptied.
 */
export function postgresPassword(home: Home): string {
  const password = readOrCreateSecret(home.passwordFile);
  if (password !== "") return password;
  throw new RowhouseError(
    "database_refused",
    `The password in ${home.passwordFile} is empty.`,
    "Restore the file that belongs to this data; or restore a backup, which sets the home's own: `npx rowhouse restore --to latest`.",
  );
}

/** The secrets of the sign-in service, the newest first, with commas between; made at the first asking. */
export function authSecret(home: Home): string {
  return readOrCreateSecret(home.authSecretFile);
}

/** Puts a new secret of the sign-in service before those that it has. */
export function addAuthSecret(home: Home): void {
  const secrets = `${randomBytes(32).toString("hex")},${authSecret(home)}`;
  const draft = `${home.authSecretFile}.new`;
  writeFileSync(draft, secrets, { mode: 0o600 });
  renameSync(draft, home.authSecretFile);
}

function readOrCreateSecret(file: string): string {
  if (!existsSync(file)) {
    // Written aside and linked, so that of two writers one wins and no one reads half a secret.
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, randomBytes(32).toString("hex"), { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(file, "utf8").trim();
}
