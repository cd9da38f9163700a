import { createHash } from "node:crypto";
import { symmetricDecrypt, symmetricEncrypt } from "better-auth/crypto";
import type { AuthSettings } from "./settings.ts";

/** A secret as Better Auth takes it: encrypted values name the version of the one they need. */
export interface VersionedSecret {
  readonly version: number;
  readonly value: string;
}

/**
 * The secrets, the newest first. The version of each is made of the secret itself, so that it stays
 * the same when others come before it or go.
 */
export function versionedSecrets({ secrets }: AuthSettings): VersionedSecret[] {
  return secrets.map((value) => ({
    value,
    version: createHash("sha256").update(value).digest().readUIntBE(0, 6),
  }));
}

/** Encrypts with the newest secret. */
export async function encrypt(settings: AuthSettings, data: string): Promise<string> {
  return symmetricEncrypt({ key: secretConfig(settings), data });
}

/**
 * Decrypts what any of the secrets has encrypted.
 *
 * @throws Error when none of them has.
 */
export async function decrypt(settings: AuthSettings, data: string): Promise<string> {
  return symmetricDecrypt({ key: secretConfig(settings), data });
}

function secretConfig(settings: AuthSettings) {
  const secrets = versionedSecrets(settings);
  return {
    keys: new Map(secrets.map(({ version, value }) => [version, value])),
    currentVersion: secrets[0]?.version ?? 0,
  };
}
