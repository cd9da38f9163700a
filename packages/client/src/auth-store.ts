import type { AuthOptions, AuthSession, AuthStorage, AuthUser } from "./auth-types.ts";

/** A session as it is kept. */
export interface StoredSession extends AuthSession {
  /** What the sign-in service knows it by. */
  readonly token: string;
}

/** The session, in memory and in a storage that other tabs read too. */
export interface SessionStore {
  /** As it was last read; undefined before that. */
  readonly current: () => StoredSession | null | undefined;
  /** Reads it again: another tab may have ended it. */
  readonly read: () => Promise<StoredSession | null>;
  readonly write: (session: StoredSession | null) => Promise<void>;
  /** Changes a given one as it is by now, or with null removes it, if it is still there. */
  readonly replace: (old: StoredSession, change: Partial<StoredSession> | null) => Promise<void>;
  readonly onChange: (listener: (session: StoredSession | null) => void) => () => void;
  /** Calls the listeners. */
  readonly notify: () => void;
}

/** Keeps the session in a storage. */
export function createSessionStore(options: AuthOptions, key: string): SessionStore {
  const storage = options.storage ?? defaultStorage();
  const listeners = new Set<(session: StoredSession | null) => void>();
  let text: string | null | undefined;
  let session: StoredSession | null | undefined;
  let written: Promise<unknown> = Promise.resolve();
  let writes = 0;

  const notify = () => {
    for (const listener of listeners) listener(session ?? null);
  };

  const take = (now: string | null) => {
    if (now === text) return;
    const before = session === undefined ? undefined : describeUser(session);
    text = now;
    session = parse(now);
    if (describeUser(session) !== before) notify();
  };

  const read = async () => {
    await written;
    const before = writes;
    const found = await storage.getItem(key);
    // What was written meanwhile is newer.
    if (writes === before) take(found);
    return session ?? null;
  };

  const write = async (next: StoredSession | null) => {
    writes += 1;
    const value = next && JSON.stringify(next);
    // First, so that no call that begins now uses the old one.
    take(value);
    const put = async () => {
      await (value === null ? storage.removeItem(key) : storage.setItem(key, value));
    };
    const writing = written.then(put);
    written = writing.catch(() => {});
    await writing;
  };

  const first = storage.getItem(key);
  if (first === null || typeof first === "string") take(first);

  return {
    current: () => session,
    read,
    write,
    replace: async (old, change) => {
      const now = await read();
      if (now?.token === old.token) await write(change && { ...now, ...change });
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    notify,
  };
}

/** The storage that all tabs of a page's origin share; undefined where there is none. */
export function pageStorage(): Storage | undefined {
  try {
    return typeof document === "undefined" ? undefined : localStorage;
  } catch {
    return undefined; // The browser's settings forbid it.
  }
}

/** Never one that several users of a server would share. */
function defaultStorage(): AuthStorage {
  const shared = pageStorage();
  if (shared) return shared;
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

function parse(text: string | null): StoredSession | null {
  try {
    const session = JSON.parse(text ?? "null");
    return typeof session?.token === "string" && session.user?.id ? session : null;
  } catch {
    return null; // Not ours.
  }
}

const describeUser = (session: StoredSession | null) => JSON.stringify(session?.user ?? null);

/** What is kept of the service's word about a user. */
export function pickUser({ id, email, emailVerified, name, image }: AuthUser): AuthUser {
  return { id, email, emailVerified, name, image: image ?? null };
}
