import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { setPassword } from "../../src/stack/login.ts";
import startServer from "../../src/testing/global-setup.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A PEM file: the edge's certificate and its key. */
    certificate: string;
    /** The first two numbers of the loopback addresses that belong to this run. */
    network: string;
    identityPassword: string;
  }
}

const identityPassword = "identity-tests";

/** Brings up PostgreSQL, and makes the certificate that the workers trust. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stop = await startServer(project);
  const { serverUrl } = project.getProvidedContext();
  await setPassword(serverUrl, "identity_service", identityPassword);
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-edge-"));
  const network = `127.${1 + Math.floor(Math.random() * 254)}`;
  const certificate = makeCertificate(dir, network);
  project.provide("network", network);
  project.provide("certificate", certificate);
  project.provide("identityPassword", identityPassword);
  // The workers start with this environment, and Node reads it at its start.
  process.env.NODE_EXTRA_CA_CERTS = certificate;
  return async () => {
    await stop();
    rmSync(dir, { recursive: true });
  };
}

/** For the addresses that edges of a run have: see edge.ts. */
function makeCertificate(dir: string, network: string): string {
  const [key, certificate, both] = ["key.pem", "certificate.pem", "edge.pem"].map((name) =>
    join(dir, name),
  ) as [string, string, string];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const addresses = Array.from(
    { length: 8 * 8 },
    (_, i) => `IP:${network}.${i >> 3}.${1 + (i & 7)}`,
  );
  const names = ["-subj", "/CN=edge", "-addext", `subjectAltName=${addresses.join(",")}`];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", ...curve, "-days", "2", ...names, ...files], {
    stdio: "ignore",
  });
  writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  return both;
}
