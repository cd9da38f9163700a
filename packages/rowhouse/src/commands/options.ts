import { InvalidArgumentError } from "commander";
import { isPostgresUrl } from "../stack/settings.ts";

/** Takes the URL of a database as an option. */
export function parseDatabaseUrl(value: string): string {
  if (isPostgresUrl(value)) return value;
  throw new InvalidArgumentError("Give a URL like postgres://user:password@host:5432/database.");
}

/** Takes a whole number from 1 as an option. */
export function parseCount(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("Give a whole number from 1.");
}
