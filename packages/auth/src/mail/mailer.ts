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
    await transport.sendMail({ from: mailFrom, to: { name: "", address: to }, subject, text });
    log(`mail sent: ${subject}`);
  };
}
