/** As much of a browser as signing in at a provider needs: cookies by site, redirects, and forms. */
export interface Browser {
  /** Navigates, and follows redirects to the first page that is none of these servers'. */
  readonly open: (url: string) => Promise<Page>;
  /** Fills in the first form of a page, and sends it. */
  readonly submit: (page: Page, fields: Record<string, string>) => Promise<Page>;
}

/** Where a browser is. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly html: string;
}

/** @param servers The origins that answer; a redirect to any other ends the navigation. */
export function createBrowser(servers: readonly string[]): Browser {
  const cookies = new Map<string, Map<string, string>>();

  const send = async (url: URL, init: RequestInit = {}): Promise<Page> => {
    if (!servers.includes(url.origin)) return { url, status: 0, html: "" };
    const own = cookies.get(url.origin) ?? new Map<string, string>();
    cookies.set(url.origin, own);
    const response = await fetch(url, {
      redirect: "manual",
      ...init,
      headers: {
        ...init.headers,
        Cookie: [...own].map(([name, value]) => `${name}=${value}`).join("; "),
      },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      own.set(name, value);
    }
    const location = response.headers.get("location");
    if (location !== null) return send(new URL(location, url));
    return { url, status: response.status, html: await response.text() };
  };

  return {
    open: (url) => send(new URL(url)),
    submit: (page, fields) => {
      const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1] ?? "";
      const hidden = [...page.html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      const values = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
      return send(new URL(action, page.url), {
        method: "POST",
        body: new URLSearchParams({ ...values, ...fields }),
      });
    },
  };
}
