import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { pageOrigin } from "./support.ts";

/** What a test makes different from an honest browser and authenticator. */
export interface Tampering {
  readonly origin?: string;
  readonly domain?: string;
  readonly challenge?: string;
  readonly counter?: number;
  /** Whether the person was verified, by PIN or fingerprint. */
  readonly verified?: boolean;
}

/** A page's browser with an authenticator that holds one passkey (https://www.w3.org/TR/webauthn-3/). */
export interface Authenticator {
  readonly id: string;
  /** The answer to `navigator.credentials.create`. */
  readonly create: (options: { challenge: string }, tampering?: Tampering) => object;
  /** The answer to `navigator.credentials.get`. */
  readonly get: (options: { challenge: string }, tampering?: Tampering) => object;
}

const flags = { present: 1, verified: 4, hasCredential: 0x40 };

/** @param id Of its passkey, in base64url. */
export function createAuthenticator(id = randomBytes(16).toString("base64url")): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });

  const clientData = (type: string, challenge: string, origin = pageOrigin) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));

  const data = ({ domain = "localhost", verified = true, counter = 0 }: Tampering, extra = 0) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const flag = flags.present + (verified ? flags.verified : 0) + extra;
    return Buffer.concat([createHash("sha256").update(domain).digest(), Buffer.of(flag), count]);
  };

  const answer = (response: Readonly<Record<string, Buffer>>) => ({
    id,
    rawId: id,
    type: "public-key",
    clientExtensionResults: {},
    response: Object.fromEntries(
      Object.entries(response).map(([name, bytes]) => [name, bytes.toString("base64url")]),
    ),
  });

  return {
    id,
    create: ({ challenge }, tampering = {}) => {
      const rawId = Buffer.from(id, "base64url");
      const key = ["a5010203262001215820", hex(x), "225820", hex(y)].join("");
      const authData = Buffer.concat([
        data(tampering, flags.hasCredential),
        Buffer.alloc(16), // No model.
        Buffer.of(0, rawId.length),
        rawId,
        Buffer.from(key, "hex"),
      ]);
      // CBOR of { fmt: "none", attStmt: {}, authData }.
      const attestationObject = Buffer.concat([
        Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex"),
        Buffer.of(authData.length),
        authData,
      ]);
      const made = clientData(
        "webauthn.create",
        tampering.challenge ?? challenge,
        tampering.origin,
      );
      return answer({ clientDataJSON: made, attestationObject });
    },
    get: ({ challenge }, tampering = {}) => {
      const clientDataJSON = clientData(
        "webauthn.get",
        tampering.challenge ?? challenge,
        tampering.origin,
      );
      const authenticatorData = data(tampering);
      const hash = createHash("sha256").update(clientDataJSON).digest();
      const signature = sign("sha256", Buffer.concat([authenticatorData, hash]), privateKey);
      return answer({ clientDataJSON, authenticatorData, signature });
    },
  };
}

const hex = (base64url: string) => Buffer.from(base64url, "base64url").toString("hex");
