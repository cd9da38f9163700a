import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkMail, createMailer } from "../src/mail/mailer.ts";
import { confirmAddress } from "../src/mail/messages.ts";
import { readAuthSettings } from "../src/settings.ts";

const received: { from: string; to: string[]; text: string; user: unknown }[] = [];

const server = new SMTPServer({
  disabledCommands: ["STARTTLS"],
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _, done) =>
    password === "right" ? done(null, { user: username }) : done(new Error("wrong password")),
  onData: (stream, { envelope, user }, done) => {
    let text = "";
    stream.on("data", (chunk) => {
      text += chunk;
    });
    stream.on("end", () => {
      const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
      received.push({ from, to: envelope.rcptTo.map(({ address }) => address), text, user });
      done();
    });
  },
});
server.on("error", () => {}); // A client that is refused closes the connection.

let port: number;

beforeAll(async () => {
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  port = (listening.address() as AddressInfo).port;
});

afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const settings = (password: string) =>
  readAuthSettings({
    AUTH_SECRET: "a-secret-for-tests-that-is-long-enough",
    AUTH_DATABASE_URL: "postgres://localhost/none",
    AUTH_KEYS_FILE: "none",
    SMTP_URL: `smtp://sender:${password}@127.0.0.1:${port}`,
    MAIL_FROM: "Task list <no-reply@example.com>",
  });

const mailer = (password: string) => createMailer(settings(password));

test("mail leaves by SMTP, with its link in one piece", async () => {
  const link = `http://127.0.0.1:3001/auth/verify-email?token=${"x".repeat(300)}&callbackURL=%2F`;
  await mailer("right")("ada@example.com", confirmAddress(link));
  expect(received).toHaveLength(1);
  const { from, to, text = "", user } = received[0] ?? {};
  expect({ from, to, user }).toEqual({
    from: "no-reply@example.com",
    to: ["ada@example.com"],
    user: "sender",
  });
  expect(text).toContain("Subject: Confirm your email address");
  // RFC 2045, section 6.7: a long line is broken up, and put together again by the reader.
  expect(text.replaceAll("=\r\n", "").replaceAll("=3D", "=")).toContain(link);
});

test("an address cannot add headers or recipients", async () => {
  const to = "ada@example.com\r\nBcc: eve@example.com";
  await expect(mailer("right")(to, confirmAddress("http://x/"))).rejects.toThrow(/recipient/);
  expect(received.flatMap(({ to }) => to)).not.toContain("eve@example.com");
});

test("a mail that cannot leave is an error, which says nothing of the password", async () => {
  const error = await mailer("wrong")("ada@example.com", confirmAddress("http://x/")).catch(String);
  expect(error).toContain("Invalid login");
  expect(error).not.toContain("sender:");
});

test("whether mail can leave is known before the first", async () => {
  await checkMail(settings("right"));
  await expect(checkMail(settings("wrong"))).rejects.toThrow(
    /^cannot send mail by SMTP_URL: Invalid login/,
  );
});
