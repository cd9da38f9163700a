import type { AuthUser } from "../../../client/index.ts";
import { find } from "./dom.ts";
import { deadLink, explainLink } from "./explain-auth.ts";
import { clearForm, mountForm } from "./forms.ts";
import { mountList } from "./list.ts";
import { db } from "./session.ts";

const views = ["sign-in", "sign-up", "forgot", "reset", "mail", "signed-in"] as const;
type View = (typeof views)[number];

const { auth } = db;
const main = find(document, "main", HTMLElement);
const message = find(main, ".message", HTMLElement);
const form = (id: View) => find(main, `form#${id}`, HTMLFormElement);
const lists = find(main, "#lists", HTMLElement);
const account = find(main, "#account", HTMLDetailsElement);

/** Where links of mails lead to. */
const here = location.origin + location.pathname;
const resetPage = `${here}?for=reset`;

/** What the link that led here has left in the address, which is then tidied up. */
const link = new URLSearchParams(location.search);
if (link.size > 0) history.replaceState(null, "", location.pathname + location.hash);

let sendAgain = async () => {};

function show(view: View, text = ""): void {
  for (const id of views) find(main, `#${id}`, HTMLElement).hidden = id !== view;
  message.textContent = text;
  if (view === "signed-in") return;
  clearForm(form(view));
  const first = [...form(view).querySelectorAll("input")].find(({ value }) => value === "");
  (first ?? find(form(view), "button", HTMLElement)).focus();
}

function showMail(email: string, send: () => Promise<void>): void {
  sendAgain = send;
  find(main, "#mail .address", HTMLElement).textContent = email;
  find(main, "#mail .hint", HTMLElement).hidden = !import.meta.env.DEV;
  show("mail");
}

/** Shows the list of whoever is signed in now, and nothing of who was before. */
function showUser(user: AuthUser | null): void {
  lists.replaceChildren();
  account.open = false;
  clearForm(account);
  if (user === null) show("sign-in");
  else showList(user);
}

function showList(user: AuthUser): void {
  mountList(lists, { key: "me", name: user.name || user.email, db }, () => {});
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sign-out";
  button.textContent = "Sign out";
  button.addEventListener("click", signOut);
  find(lists, ".list > header", HTMLElement).append(button);
  show("signed-in");
}

async function signOut(): Promise<void> {
  try {
    await auth.signOut();
  } catch {
    message.textContent = "You are signed out here. The server could not be told.";
  }
}

mountForm(form("sign-in"), async ({ email = "", password = "" }) => {
  await auth.signIn({ email, password });
});
mountForm(form("sign-up"), async ({ name = "", email = "", password = "" }) => {
  await auth.signUp({ name, email, password }, { redirectTo: here });
  showMail(email, () => auth.sendConfirmation(email, { redirectTo: here }));
});
mountForm(form("forgot"), async ({ email = "" }) => {
  const send = () => auth.requestReset(email, { redirectTo: resetPage });
  await send();
  showMail(email, send);
});
mountForm(form("reset"), async ({ password = "" }) => {
  await auth.resetPassword({ token: link.get("token") ?? "", newPassword: password });
  show("sign-in", "The password is changed. Sign in with it.");
});
mountForm(form("mail"), async () => {
  await sendAgain();
  message.textContent = "Sent again.";
});
mountForm(find(account, "form", HTMLFormElement), async ({ password = "" }) => {
  await auth.deleteAccount(password);
  message.textContent = "Your account is deleted.";
});
find(account, ".everywhere", HTMLButtonElement).addEventListener("click", () => {
  auth.signOutEverywhere().catch(() => {
    message.textContent = "The server cannot be reached. Try again later.";
  });
});

for (const button of main.querySelectorAll<HTMLButtonElement>("[data-show]")) {
  button.addEventListener("click", () => show(button.dataset.show as View));
}

const first = await auth.session();
auth.onChange((session) => showUser(session?.user ?? null));
if (link.get("for") === "reset" && link.has("token")) show("reset");
else if (link.get("for") === "reset") show("forgot", `${deadLink} Ask for a new one.`);
else showUser(first?.user ?? null);
if (link.get("for") !== "reset" && auth.linkError)
  message.textContent = explainLink(auth.linkError);
