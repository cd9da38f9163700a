import { withClient } from "rowhouse/testing";
import type { TestProject } from "vitest/node";

/** What the tests' sign-in services log in with. Roles are of the server, which all tests share. */
export const identityPassword = "identity-tests";

/** Sets it, once for all files; after the setup of rowhouse/testing, which starts the server. */
export default async function setUp(project: TestProject): Promise<void> {
  const { serverUrl } = project.getProvidedContext();
  await withClient(serverUrl, (client) =>
    client.query(`alter role identity_service password '${identityPassword}'`),
  );
}
