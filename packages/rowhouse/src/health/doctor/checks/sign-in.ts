import { signInAnswers } from "../../../stack/sign-in.ts";
import { type DoctorContext, type Finding, wrong } from "../check.ts";

/** The sign-in service of a stack that runs with it. */
export async function checkSignIn({
  state,
  home,
}: Pick<DoctorContext, "state" | "home">): Promise<Finding[]> {
  const url = state?.signInUrl;
  if (url === undefined || (await signInAnswers(url))) return [];
  return [
    wrong(
      `The sign-in service does not answer at ${url}.`,
      `See ${home.authLog}; the stack starts it again when it ends.`,
    ),
  ];
}
