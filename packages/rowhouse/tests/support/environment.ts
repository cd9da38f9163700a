/** Environment variables; an undefined one is taken away. */
export type Variables = Record<string, string | undefined>;

/** The environment of this process without what belongs to the developer's own stack. */
export function withoutOwnStack(variables: Variables): NodeJS.ProcessEnv {
  const none = {
    DATABASE_URL: "",
    AUTHENTICATOR_PASSWORD: "",
    JWT_SECRET: "",
    DB_PORT: "",
    // Most tests are about the API: those of sign-in turn it on.
    AUTH: "off",
  };
  return { ...process.env, ...none, NO_COLOR: "1", ...variables };
}
