import { basename } from "node:path";
import { errorCode, errorMessage } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { leavesNothing, runPgtap } from "../../testing/pgtap.ts";
import type { Mutant, Verdict } from "./mutant.ts";

/** A pgTAP file that is red, and its first assertion that failed, or what broke it off. */
export interface Red {
  readonly file: string;
  readonly assertion: string;
}

/** Where and with what the mutants are tried. */
export interface TestBed {
  readonly scratch: Scratch;
  /** The URL of the database to copy: unweakened, with pgTAP in it, and no one connected. */
  readonly template: string;
  /** Paths of the pgTAP files. */
  readonly files: readonly string[];
}

/** How often a file is run that loses the race for a lock each time, and leaves nothing behind. */
const attempts = 5;

/** A test that takes this long hangs: a file takes a tenth of a second. */
const hangsAfter = "60s";

/**
 * Makes the mutant in a copy of the template, and runs the pgTAP files until one is red.
 *
 * @throws What its undo fails with: the verdict on every later mutant would be wrong.
 */
export async function tryMutant(testBed: TestBed, mutant: Mutant): Promise<Verdict> {
  const { sql, undo, equivalent } = mutant;
  if (equivalent) return { mutant, outcome: "equivalent", killedBy: null, reason: equivalent };
  try {
    const files = sortByRelevance(testBed.files, mutant);
    const [red] = await findRedFiles(testBed, { sql, files, enough: 1 });
    return { mutant, outcome: red ? "killed" : "survived", killedBy: red ?? null, reason: null };
  } catch (error) {
    return { mutant, outcome: "failed", killedBy: null, reason: errorMessage(error) };
  } finally {
    if (undo !== null) await execute(testBed.scratch.serverUrl, undo);
  }
}

/** The pgTAP files that are red where nothing was weakened: by the same path as all mutants. */
export async function findRedWithoutMutant(testBed: TestBed): Promise<Red[]> {
  const { files } = testBed;
  return findRedFiles(testBed, { sql: "", files, enough: files.length });
}

interface Trial {
  /** The mutant's. */
  readonly sql: string;
  readonly files: readonly string[];
  /** After so many red files the others are left out. */
  readonly enough: number;
}

/** @throws Whatever the mutant's SQL or the server fails with. */
async function findRedFiles({ scratch, template }: TestBed, trial: Trial): Promise<Red[]> {
  const url = await scratch.create(template);
  try {
    await execute(url, trial.sql);
    return await runUntil(withStatementTimeout(url), trial);
  } finally {
    await scratch.drop(url);
  }
}

async function execute(url: string, sql: string): Promise<void> {
  await withClient(url, (client) => client.query(sql));
}

async function runUntil(url: string, { files, enough }: Trial): Promise<Red[]> {
  const reds: Red[] = [];
  for (const file of files) {
    const assertion = await findFailure(url, file);
    if (assertion !== undefined) reds.push({ file: basename(file), assertion });
    if (reds.length >= enough) break;
  }
  return reds;
}

/** @returns The first assertion that failed, or the error that ended the file before any did. */
async function findFailure(url: string, file: string, attempt = 1): Promise<string | undefined> {
  try {
    return (await runPgtap(url, file)).find(({ ok }) => !ok)?.name;
  } catch (error) {
    const mayRepeat = isLostRace(error) && attempt < attempts && leavesNothing(file);
    if (mayRepeat) return findFailure(url, file, attempt + 1);
    if (isServerError(error)) throw error;
    return `error: ${errorMessage(error)}`;
  }
}

/**
 * Some tests make a role, and roles are the server's: two files at once can get into each
 * other's way. deadlock_detected, lock_not_available, and serialization_failure.
 */
function isLostRace(error: unknown): boolean {
  return ["40P01", "55P03", "40001"].includes(errorCode(error) ?? "");
}

/**
 * Whether an error is unrelated to the mutant: it has no SQLSTATE, or one of a lost race, a lost
 * connection (08), too few resources (53), a hang or a shutdown (57), the system (58), or a fault
 * of the server (XX), which it also raises when two sessions change one row of its catalog.
 */
function isServerError(error: unknown): boolean {
  const state = errorCode(error) ?? "";
  return isLostRace(error) || !/^[0-9A-Z]{5}$/.test(state) || /^(08|53|57|58|XX)/.test(state);
}

/** A session in which a test that hangs is ended. */
function withStatementTimeout(url: string): string {
  const session = new URL(url);
  session.searchParams.set("options", `-c statement_timeout=${hangsAfter}`);
  return session.href;
}

/**
 * First the files whose name speaks of what is weakened, then those about the whole database
 * (schemas.sql, roles.sql), then the rest: the first red file is enough. Where one leaves something behind,
 * they stay in their order: others may need it, and would be red for its want alone.
 */
function sortByRelevance(files: readonly string[], { object }: Mutant): string[] {
  if (!files.every(leavesNothing)) return [...files];
  const words = object.split(/\W+/);
  const rank = (file: string) => {
    const parts = basename(file, ".sql").split(".");
    const speaksOfIt = words.includes(parts.at(-1) ?? "");
    if (speaksOfIt) return parts[0] === "policies" ? 0 : 1;
    return parts.length === 1 ? 2 : 3;
  };
  return files.toSorted((a, b) => rank(a) - rank(b));
}
