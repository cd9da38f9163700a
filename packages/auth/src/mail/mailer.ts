import { createTransport } from "nodemailer";
import { log } from "../log.ts";
import type { AuthSettings } from "../settings.ts";
import { keepMail } from "./keep.ts";
import type { Message } from "./messages.ts";

/** Sends a message to an address. */
export type Mailer = (to: string, message: Message) => Promise<void>;

/** How mail leaves: by SMTP where that is set, else kept on this machine and its link printed. */
export function createMailer({ smtpUrl, mailFrom, mailDir }: AuthSettings): Mailer {
  if (smtpUrl === undefined) return async (to, message) => keepMail(mailDir, to, message);
  const transport = createTransport(smtpUrl);
  return async (to, { subject, text }) => {
    // As one address: a text would be read as a list of them.
    const message = { from: mailFrom, to: { name: "", address: to }, subject, text };
    await transport.sendMail(message).catch(explain);
    log(`mail sent: ${subject}`);
  };
}

/**
 * Tries whether mail can leave, so that the log tells before the first person waits for a link.
 *
 * @throws Error that says why not.
 */
export async function checkMail({ smtpUrl }: AuthSettings): Promise<void> {
  if (smtpUrl !== undefined) await createTransport(smtpUrl).verify().catch(explain);
}

/** `rowhouse start` shows lines of the log that say so. */
function explain(cause: Error): never {
  throw new Error(`cannot send mail by SMTP_URL: ${cause.message}`, { cause });
}
