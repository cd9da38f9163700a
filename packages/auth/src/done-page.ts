/**
 * The page on which a link from a mail ends when the app has named none.
 *
 * @param error The code of what went wrong, if anything.
 */
export function donePage(error: string | null): Response {
  const [title, text] =
    error === null
      ? ["Done", "You can close this window, and sign in."]
      : ["This link does not work", "It may be too old, or used already. Ask for a new one."];
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem }</style>
<h1>${title}</h1>
<p>${text}</p>
`;
  return new Response(html, {
    status: error === null ? 200 : 400,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    },
  });
}
