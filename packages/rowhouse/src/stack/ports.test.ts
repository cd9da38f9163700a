import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { assertFree, freePort, loopback } from "./ports.ts";

test("a free port can be listened on, and is outside the range of outgoing connections", async () => {
  const port = await freePort();
  expect(port).toBeGreaterThanOrEqual(20_000);
  expect(port).toBeLessThan(32_000);
  await assertFree(port, "API_PORT");
});

test("a port in use is refused, naming the variable that moves it", async () => {
  const server = createServer().listen(0, loopback);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await expect(assertFree(port, "DB_PORT")).rejects.toMatchObject({
    code: "port_in_use",
    message: `Port ${port} is in use by another program.`,
    remedy: expect.stringContaining("DB_PORT"),
  });
});
