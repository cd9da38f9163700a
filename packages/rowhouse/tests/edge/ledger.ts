import { expect } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import type { Rowhouse } from "./typed-client.ts";

/** One call that creates rows: all of them, or none. */
interface Write {
  readonly title: string;
  readonly rows: number;
  /** The ids that came back; none while it is not acknowledged. */
  ids: readonly string[];
  /** Whether a change of its first row was acknowledged. */
  changed: boolean;
}

/** What writers have tried, and which answers they got. */
export class Ledger {
  readonly #writes = new Map<string, Write>();
  #failures = 0;
  #acknowledged = 0;
  #stopped = false;

  /** Writes one after the other until stopped; after a failure it waits until a call is served, as a person does. */
  async write(db: Rowhouse, writer: number): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      const title = `write ${number} of ${writer}`;
      const write: Write = { title, rows: number % 2 === 0 ? 1 : 3, ids: [], changed: false };
      this.#writes.set(title, write);
      try {
        await this.#make(db, write);
      } catch {
        this.#failures += 1;
        await waitFor(() => serves(db), 25, 30_000);
      }
    }
  }

  async #make(db: Rowhouse, write: Write): Promise<void> {
    const { title, rows } = write;
    const created =
      rows === 1
        ? [await db.tasks.create({ title })]
        : await db.tasks.createMany(Array.from({ length: rows }, () => ({ title })));
    write.ids = created.map(({ id }) => id);
    this.#acknowledged += 1;
    await db.tasks.update(write.ids[0] as string, { completed: true });
    write.changed = true;
    this.#acknowledged += 1;
  }

  /** Resolves when so many more writes were acknowledged. */
  async grows(by: number): Promise<void> {
    const goal = this.#acknowledged + by;
    const reached = () => this.#acknowledged >= goal || undefined;
    expect(await waitFor(reached, 5, 30_000)).toBe(true);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Compares it with all rows that the user has. */
  async compare(db: Rowhouse) {
    const stored = new Map<string, { id: string; completed: boolean }[]>();
    for await (const { title, ...row } of db.tasks.all()) {
      stored.set(title, [...(stored.get(title) ?? []), row]);
    }
    const writes = [...this.#writes.values()].map((write) => ({
      ...write,
      stored: stored.get(write.title) ?? [],
    }));
    return {
      acknowledged: this.#acknowledged,
      failures: this.#failures,
      lost: writes.filter(({ ids, changed, stored }) =>
        ids.some(
          (id, place) =>
            !stored.some((row) => row.id === id && (row.completed || !changed || place > 0)),
        ),
      ),
      twice: writes.filter(({ rows, stored }) => stored.length > rows),
      half: writes.filter(({ rows, stored }) => stored.length > 0 && stored.length < rows),
      untold: [...stored.keys()].filter((title) => !this.#writes.has(title)),
    };
  }
}

const serves = (db: Rowhouse) =>
  db.tasks.list({ limit: 1 }).then(
    () => true as const,
    () => undefined,
  );
