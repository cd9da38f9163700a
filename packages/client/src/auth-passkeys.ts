import { AuthError, type AuthErrorCode } from "./auth-errors.ts";
import { AbortedError, unsent } from "./errors.ts";

/**
 * Has the person's authenticator make a passkey.
 *
 * @param options PublicKeyCredentialCreationOptionsJSON, as the service sends them.
 * @returns The credential as JSON.
 * @throws AuthError PASSKEYS_NOT_SUPPORTED, PASSKEY_CANCELLED, PASSKEY_EXISTS; AbortedError.
 */
export async function createPasskey(
  options: PublicKeyCredentialCreationOptionsJSON,
  signal?: AbortSignal,
): Promise<object> {
  return ask(signal, async (init) => {
    const publicKey =
      PublicKeyCredential.parseCreationOptionsFromJSON?.(options) ?? readCreation(options);
    return navigator.credentials.create({ publicKey, ...init });
  });
}

/**
 * Has the person choose one of their passkeys.
 *
 * @param options PublicKeyCredentialRequestOptionsJSON, which name no passkey: the person chooses.
 * @returns The credential as JSON.
 * @throws AuthError PASSKEYS_NOT_SUPPORTED, PASSKEY_CANCELLED; AbortedError.
 */
export async function getPasskey(
  options: PublicKeyCredentialRequestOptionsJSON,
  signal?: AbortSignal,
): Promise<object> {
  return ask(signal, async (init) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? {
      ...(options as unknown as PublicKeyCredentialRequestOptions),
      challenge: toBytes(options.challenge),
    };
    return navigator.credentials.get({ publicKey, ...init });
  });
}

async function ask(
  signal: AbortSignal | undefined,
  work: (init: { signal?: AbortSignal }) => Promise<Credential | null>,
): Promise<object> {
  if (typeof PublicKeyCredential === "undefined") throw failure("NotSupportedError");
  try {
    return toJson((await work(signal ? { signal } : {})) as PublicKeyCredential);
  } catch (cause) {
    if (signal?.aborted) {
      const facts = { ...unsent("aborted"), cause: signal.reason };
      throw new AbortedError("The call was aborted.", facts);
    }
    throw failure(cause instanceof Error ? cause.name : "", cause);
  }
}

const unsupported = "No passkeys can be used here. Sign in another way.";

/** What the browser's errors mean: https://www.w3.org/TR/webauthn-3/#sctn-createCredential */
const meanings: Readonly<Record<string, readonly [AuthErrorCode, string]>> = {
  NotAllowedError: ["PASSKEY_CANCELLED", "No passkey was used: cancelled, too late, or none."],
  InvalidStateError: ["PASSKEY_EXISTS", "This device has a passkey of this account."],
  SecurityError: ["PASSKEY_DOMAIN_INVALID", unsupported],
};

function failure(name: string, cause?: unknown): AuthError {
  const [code, message] = meanings[name] ?? ["PASSKEYS_NOT_SUPPORTED", unsupported];
  return new AuthError(message, { ...unsent(code), cause });
}

// For browsers before 2025, and for password managers that hand out objects of their own.

function readCreation(
  options: PublicKeyCredentialCreationOptionsJSON,
): PublicKeyCredentialCreationOptions {
  const { challenge, user, excludeCredentials = [] } = options;
  return {
    ...(options as unknown as PublicKeyCredentialCreationOptions),
    challenge: toBytes(challenge),
    user: { ...user, id: toBytes(user.id) },
    excludeCredentials: excludeCredentials.map(
      (each) => ({ ...each, id: toBytes(each.id) }) as PublicKeyCredentialDescriptor,
    ),
  };
}

function toJson(credential: PublicKeyCredential): object {
  if (typeof credential.toJSON === "function") return credential.toJSON();
  const { id, type } = credential;
  const given = credential.response as AuthenticatorAttestationResponse &
    AuthenticatorAssertionResponse;
  const response: Record<string, unknown> = { transports: given.getTransports?.() };
  for (const name of [
    "clientDataJSON",
    "attestationObject",
    "authenticatorData",
    "signature",
    "userHandle",
  ] as const) {
    if (given[name]) response[name] = toText(given[name]);
  }
  return { id, rawId: id, type, response, clientExtensionResults: {} };
}

const toBytes = (base64url: string) =>
  Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
    char.charCodeAt(0),
  );

const toText = (bytes: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
