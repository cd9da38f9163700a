import { Command, InvalidArgumentError } from "commander";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { parseJsonObject } from "../lib/json.ts";
import { note, print } from "../lib/output.ts";
import { findDatabaseUrl, withDatabase } from "../stack/embedded.ts";
import { type Home, jwtSecret, openHome } from "../stack/home.ts";
import { readSettings, type Settings } from "../stack/settings.ts";
import {
  assertCanSign,
  checkTokenRole,
  findTokenUser,
  signClaims,
  signToken,
} from "../stack/token.ts";

const help = `
A user of api.users is created if missing; where the users are elsewhere, it has to be there. The column "claims" of
the project's query of users, where it has one, gives further claims.
--sub and --claims sign for anyone, whether a database has the user or not. The claim role is JWT_ROLE, else that of
users' tokens, unless --claims says another: one that requests can have, as far as a database runs that knows.
aud and iss are JWT_AUD and JWT_ISS likewise; null leaves one out.

  rowhouse token alice@example.com
  rowhouse token --sub 42 --claims '{"role": "editor", "org": "acme"}'`;

interface Options {
  readonly expiresIn: number;
  readonly sub?: string;
  readonly claims?: string;
}

/** `rowhouse token [email]` */
export const tokenCommand = new Command("token")
  .description("print a token for a user, or for any sub and claims")
  .argument("[email]", "the user's email address", parseEmail)
  .option("--sub <sub>", "sign for this id, of a user or not")
  .option("--claims <json>", "further claims of the token")
  .option(
    "-e, --expires-in <duration>",
    "how long it is valid, like 90s, 15m, 1h or 1d",
    parseDuration,
    3600,
  )
  .addHelpText("after", help)
  .action(token);

async function token(
  email: string | undefined,
  { expiresIn, sub, claims }: Options,
  command: Command,
): Promise<void> {
  const isFree = sub !== undefined || claims !== undefined;
  if ((email === undefined) !== isFree)
    command.error("error: give an email address, or --sub and --claims");
  const more = claims === undefined ? {} : parseClaims(claims, sub);
  const settings = readSettings();
  assertTaken(expiresIn, settings.jwtMaxLifetime);
  const home = openHome(settings.home);
  const options = {
    secret: settings.jwtSecret ?? jwtSecret(home),
    aud: settings.jwtAud,
    iss: settings.jwtIss,
    expiresIn,
  };
  assertCanSign(options.secret);
  if (email !== undefined) return print(await signFor(email, settings, home, options));
  const subject = sub === undefined ? {} : { sub };
  const role = await findRole("role" in more ? more.role : settings.jwtRole, settings, home);
  print(signClaims({ ...subject, ...more, role }, options));
}

/** Why a database does not say which roles it has: it does not run, or refuses the login. */
const roleUnknown: readonly unknown[] = ["database_unreachable", "database_refused"];

/** The role to sign for, as far as a database says which there are. */
async function findRole(given: unknown, settings: Settings, home: Home): Promise<unknown> {
  const unknown = given === undefined ? (settings.project.userRole ?? "authenticated") : given;
  const url = await findDatabaseUrl(settings, home);
  if (url === undefined) return unknown;
  try {
    return (await checkTokenRole(url, given, settings.project)) ?? unknown;
  } catch (error) {
    if (!roleUnknown.includes(errorCode(error))) throw error;
    note(`Signed without a look at the role: ${errorMessage(error)}`);
    return unknown;
  }
}

async function signFor(
  email: string,
  settings: Settings,
  home: Home,
  options: Parameters<typeof signToken>[1],
): Promise<string> {
  const { id, claims, role } = await withDatabase(settings, home, (url) =>
    findTokenUser(url, email, settings.project),
  );
  return signToken({ id, email, claims }, options, role);
}

/** Claims that other options decide on. */
const reserved: Readonly<Record<string, string>> = {
  exp: "--expires-in decides on it",
  iat: "it is now",
  nbf: "the token is valid from now on",
};

/** @throws RowhouseError claims_invalid */
function parseClaims(json: string, sub: string | undefined): Readonly<Record<string, unknown>> {
  const claims = parseJsonObject(json, "--claims", claimsInvalid);
  const own = sub === undefined ? reserved : { ...reserved, sub: "--sub decides on it" };
  for (const [name, why] of Object.entries(own)) {
    if (Object.hasOwn(claims, name)) throw claimsInvalid(`--claims holds ${name}: ${why}.`);
  }
  return claims;
}

function claimsInvalid(message: string): RowhouseError {
  return new RowhouseError(
    "claims_invalid",
    message,
    `Give --claims a JSON object of further claims, like '{"role": "editor"}'.`,
  );
}

/** A token that is valid for longer than the API takes would only be refused there. */
function assertTaken(seconds: number, most: number): void {
  if (seconds <= most) return;
  throw new RowhouseError(
    "settings_invalid",
    `A token for ${seconds} s would be refused: JWT_MAX_LIFETIME is ${most} s.`,
    "Give --expires-in a shorter time, or set JWT_MAX_LIFETIME and restart the stack.",
  );
}

/** The rule of the database: users_email_form in sql/api/users.sql. */
function parseEmail(value: string): string {
  if (/^[^@\s]+@[^@\s]+$/.test(value) && value.length <= 320) return value;
  throw new InvalidArgumentError("It must look like alice@example.com.");
}

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration in seconds. */
function parseDuration(value: string): number {
  const [, count, unit = "s"] = /^(\d{1,9})([smhd])?$/.exec(value) ?? [];
  const seconds = Number(count) * (unitSeconds[unit] ?? 1);
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError("Give a number and a unit: 90s, 15m, 1h or 1d.");
}
