import { createVerifier } from "fast-jwt";

const { JWT_SECRET: key, JWT_AUD: allowedAud, JWT_ISS: allowedIss } = process.env;

/** Signature, exp, aud and iss, as PostgREST and request.check() look at them; tokens are remembered. */
const verify = createVerifier({
  key,
  algorithms: ["HS256"],
  allowedAud,
  allowedIss,
  cache: 10_000,
});

/**
 * The claims of a request's token.
 *
 * @throws where it has none, or one that is not valid.
 */
export function readClaims(authorization = "") {
  return verify(authorization.replace(/^Bearer /, ""));
}
