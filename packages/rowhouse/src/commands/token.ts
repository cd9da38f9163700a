import { Command, InvalidArgumentError } from "commander";
import { RowhouseError } from "../lib/errors.ts";
import { print } from "../lib/output.ts";
import { withDatabase } from "../stack/embedded.ts";
import { jwtSecret, openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { assertCanSign, findOrCreateUser, signToken } from "../stack/token.ts";

/** `rowhouse token <email>` */
export const tokenCommand = new Command("token")
  .description("print a token for a user, who is created if missing")
  .argument("<email>", "the user's email address", parseEmail)
  .option(
    "-e, --expires-in <duration>",
    "how long it is valid, like 90s, 15m, 1h or 1d",
    parseDuration,
    3600,
  )
  .action(token);

async function token(email: string, { expiresIn }: { expiresIn: number }): Promise<void> {
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
  const id = await withDatabase(settings, home, (url) => findOrCreateUser(url, email));
  print(signToken({ id, email }, options));
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
