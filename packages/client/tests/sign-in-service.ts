import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { identityPassword } from "./global-setup.ts";
import {
  type Api,
  type FaultProxy,
  freePort,
  migratedClone,
  startApi,
  startProxy,
  waitFor,
  withClient,
} from "./support.ts";

/** The real sign-in service as a process, with PostgREST beside it, on a database of its own. */
export interface SignInService {
  /** Its address, through the proxy. */
  readonly url: string;
  /** Its address without the proxy: links lead there. */
  readonly ownUrl: string;
  readonly api: Api;
  /** What the clients have asked it. */
  readonly proxy: FaultProxy;
  /** The newest link that was mailed to an address. */
  readonly linkTo: (email: string) => Promise<string>;
  readonly sql: (text: string) => Promise<unknown>;
  /** Ends the process at once, as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts it; stop it in afterAll. */
export async function startSignInService(): Promise<SignInService> {
  const ownerUrl = await migratedClone();
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-sign-in-"));
  const mail = join(dir, "mail");
  mkdirSync(mail);
  const port = await freePort();
  const ownUrl = `http://127.0.0.1:${port}/auth`;
  const keysFile = join(dir, "jwks.json");
  const databaseUrl = new URL(ownerUrl);
  databaseUrl.username = "identity_service";
  databaseUrl.password = identityPassword;
  const env = {
    PATH: process.env.PATH,
    AUTH_PORT: String(port),
    AUTH_SECRET: "a-secret-for-tests-that-is-long-enough",
    AUTH_DATABASE_URL: databaseUrl.href,
    AUTH_KEYS_FILE: keysFile,
    AUTH_MAIL_DIR: mail,
  };
  let kill = async () => {};
  const start = async () => {
    const program = fileURLToPath(import.meta.resolve("@rowhouse/auth/main"));
    const child = spawn(process.execPath, [program], { env, stdio: "ignore" });
    const ended = once(child, "close");
    kill = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    const isReady = () =>
      fetch(`${ownUrl}/ready`).then(
        ({ ok }) => ok || undefined,
        () => (child.exitCode === null ? undefined : false),
      );
    if (!(await waitFor(isReady, 25, 30_000)))
      throw new Error("The sign-in service did not start.");
  };
  await start();
  const [api, proxy] = await Promise.all([
    startApi(ownerUrl, { jwtSecret: `@${keysFile}` }),
    startProxy(`http://127.0.0.1:${port}`),
  ]);
  const findLink = (email: string) => {
    const newest = readdirSync(mail)
      .filter((name) => name.endsWith(`-${email}.txt`))
      .sort()
      .at(-1);
    return newest && /^http\S+$/m.exec(readFileSync(join(mail, newest), "utf8"))?.[0];
  };
  return {
    url: `${proxy.url}/auth`,
    ownUrl,
    api,
    proxy,
    linkTo: async (email) => {
      const link = await waitFor(() => findLink(email), 10, 10_000);
      if (link === undefined) throw new Error(`No link was mailed to ${email}.`);
      return link;
    },
    sql: (text) => withClient(ownerUrl, (client) => client.query(text)),
    kill: () => kill(),
    start,
    stop: async () => {
      await kill();
      await proxy.stop();
      await api.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Follows a mailed link as a browser does; returns the page's address that it leads to. */
export async function follow(link: string): Promise<URL> {
  const { status, headers } = await fetch(link, { redirect: "manual" });
  if (status !== 302) throw new Error(`the link answered ${status}`);
  return new URL(headers.get("location") ?? "");
}
