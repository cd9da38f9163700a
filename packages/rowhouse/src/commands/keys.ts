import { Command, Option } from "commander";
import { colours } from "../lib/colours.ts";
import { note, printResult } from "../lib/output.ts";
import { openHome } from "../stack/home.ts";
import { restartApi, rotateSecret, runKeys, type SigningKey } from "../stack/keys.ts";
import { readSettings } from "../stack/settings.ts";

const rotateHelp = `
The new key signs when PostgREST knows it, and the old one stays known until the last token that it
has signed has ended, after 5 and a half minutes. No user is signed out.
With --revoke the old keys go at once, as after a leak: PostgREST is restarted, since 12.0.2 caches
tokens, and clients fetch new tokens with their sessions.
With --secret the service gets a new secret, which signs sessions and encrypts keys, and restarts. The
secrets before it stay in auth-secret of the home directory: docs/sign-in.md says when they can go.`;

interface Options {
  readonly revoke?: true;
  readonly secret?: true;
  readonly json?: true;
}

const list = ["list"];

const listCommand = new Command("list")
  .description("list the keys that sign tokens, and those whose tokens still work")
  .option("--json", "for programs")
  .action(async ({ json }: Options) => {
    const settings = readSettings();
    const keys = await runKeys(settings, openHome(settings.home), list, note);
    printResult(keys, json, describe);
  });

const rotateCommand = new Command("rotate")
  .description("make a new key that signs tokens, while the stack runs")
  .option("--revoke", "refuse all tokens of the old keys at once")
  .addOption(
    new Option("--secret", "make a new secret for the service instead").conflicts("revoke"),
  )
  .option("--json", "for programs")
  .addHelpText("after", rotateHelp)
  .action(rotate);

/** `rowhouse keys` */
export const keysCommand = new Command("keys")
  .description("list and rotate the keys of the sign-in service")
  .addCommand(listCommand)
  .addCommand(rotateCommand);

async function rotate({ revoke, secret, json }: Options): Promise<void> {
  const settings = readSettings();
  const home = openHome(settings.home);
  if (secret) await rotateSecret(settings, home);
  const action = secret ? list : ["rotate", ...(revoke ? ["--revoke"] : [])];
  const keys = await runKeys(settings, home, action, note);
  if (revoke) {
    note("Restarting PostgREST, so that it forgets tokens of the old keys ...");
    await restartApi(home);
  }
  printResult(keys, json, describe);
}

function describe(keys: readonly SigningKey[]): string[] {
  return keys.map(({ id, state, since, until }) => {
    if (state === "signs") return `${colours.green("signs    ")}  ${id}  since ${since}`;
    if (state === "ends") return `ends       ${id}  tokens that it has signed work until ${until}`;
    return `published  ${id}  a rotation is running, or was interrupted`;
  });
}
