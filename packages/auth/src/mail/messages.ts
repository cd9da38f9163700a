/** A mail: plain text, so that every reader shows its link as it is. */
export interface Message {
  readonly subject: string;
  readonly text: string;
  readonly link?: string;
}

/** Asks the owner of a new account whether the address is theirs. */
export function confirmAddress(link: string): Message {
  return withLink(
    "Confirm your email address",
    "Follow this link to confirm it and sign in:",
    link,
  );
}

/** Lets whoever has forgotten a password choose another. */
export function resetPassword(link: string): Message {
  return withLink("Choose a new password", "Follow this link to choose a new password:", link);
}

/** Signs in without a password. */
export function signInByLink(link: string): Message {
  return withLink("Sign in", "Follow this link to sign in:", link);
}

/** Asks at the old address whether the account may move to a new one. */
export function confirmNewAddress(link: string, newAddress: string): Message {
  return withLink(
    "Confirm your new email address",
    `Your account is about to move to ${newAddress}. Follow this link if that is your wish:`,
    link,
  );
}

/** Tells the owner of an account that somebody signed up with its address. */
export function accountExists(): Message {
  return {
    subject: "You have an account already",
    text: "Somebody signed up with your email address. You have an account already: sign in with it, or choose a new password if you have forgotten yours. If it was not you, there is nothing to do.",
  };
}

function withLink(subject: string, sentence: string, link: string): Message {
  return {
    subject,
    link,
    text: `${sentence}\n\n${link}\n\nIt works once, and not for long. If you did not ask for it, there is nothing to do.`,
  };
}
