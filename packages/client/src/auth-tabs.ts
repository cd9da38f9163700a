/** The other tabs of the same origin, where there are any. */
export interface Tabs {
  /** Tells the others that the session has changed. */
  readonly tellChange: () => void;
  /** Gets a token as one tab at a time, and hands it to the others. */
  readonly shareToken: (
    find: () => string | undefined,
    get: () => Promise<string>,
  ) => Promise<string>;
}

/** What tabs tell each other. */
type Message =
  | { readonly kind: "session" }
  | { readonly kind: "token"; readonly token: string | null };

/** What this tab does when another tells it something. */
interface Listener {
  readonly onChange: () => void;
  readonly onToken: (token: string) => void;
}

/** How long a tab waits for the one that gets a token: it may have been closed. */
const patienceMs = 5_000;

/** Elsewhere than in a page nothing is shared: a server would keep a channel for each of its users. */
export function createTabs(key: string, { onChange, onToken }: Listener): Tabs {
  if (typeof document === "undefined" || typeof BroadcastChannel === "undefined") {
    return { tellChange: () => {}, shareToken: (_, get) => get() };
  }
  const channel = new BroadcastChannel(key);
  const waiting = new Set<() => void>();
  let messageCount = 0;
  const tell = (message: Message) => channel.postMessage(message);

  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "session") return onChange();
    if (data.token !== null) onToken(data.token);
    messageCount += 1;
    for (const resume of waiting) resume();
  });
  // The messages reach no page that another window's history holds; a storage event comes with the
  // new value, which may arrive after the message.
  addEventListener("pageshow", onChange);
  addEventListener("storage", onChange);

  const { locks } = navigator;
  const lock = `${key} token`;

  /** Whether it is done; it is not while another tab has the lock. */
  const tryNow = (work: () => Promise<string>) =>
    locks.request(lock, { ifAvailable: true }, async (held) => (held ? work() : undefined));

  const untilMessage = (before: number) =>
    new Promise<void>((resolve) => {
      if (messageCount !== before) return resolve();
      const timer = setTimeout(done, patienceMs);
      waiting.add(done);
      function done() {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      }
    });

  return {
    tellChange: () => tell({ kind: "session" }),
    shareToken: async (find, get) => {
      const work = async () => {
        let token: string | null = null;
        try {
          token = await get();
          return token;
        } finally {
          // Before the lock is let go; also when there is none, as the others wait.
          tell({ kind: "token", token });
        }
      };
      if (!locks) return get();
      const before = messageCount;
      const token = await tryNow(work);
      if (token !== undefined) return token;
      await untilMessage(before);
      return find() ?? locks.request(lock, async () => find() ?? work());
    },
  };
}
