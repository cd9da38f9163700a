/** One call of the API, whoever answers it. */
export type Action =
  | {
      readonly kind: "list";
      readonly limit: number;
      /** Tasks older than this one: the page behind it. */
      readonly before?: string;
      readonly search?: string;
      readonly withUser?: true;
    }
  | { readonly kind: "get"; readonly id: string }
  | { readonly kind: "create"; readonly id: string; readonly title: string }
  | { readonly kind: "update"; readonly id: string; readonly title: string }
  | { readonly kind: "delete"; readonly id: string }
  | { readonly kind: "count" };

/** A user who asks. */
export interface Caller {
  readonly id: string;
  readonly token: string;
  /** Tasks of theirs. */
  readonly tasks: readonly string[];
  /** The last task of page 49 of their list, by 20; in the middle of it, where it is shorter. */
  readonly cursor: string;
}

/** Who asks in one database. */
export interface Callers {
  /** A user of 500 tasks. */
  readonly few: Caller;
  /** A user with a tenth of all. */
  readonly many: Caller;
  /** A user of about 500 tasks that are changed, created and deleted. */
  readonly writer: Caller;
}

/** What is measured: who calls, and what the n-th call is. */
export interface Operation {
  readonly name: string;
  readonly caller: keyof Callers;
  /**
   * @param at How many calls there were before.
   * @returns undefined when there is nothing left to be called.
   */
  readonly next: (caller: Caller, at: number) => Action | undefined;
}

const pick = ({ tasks }: Caller, at: number) => tasks[(at * 7) % tasks.length] ?? "";
const list = (more: object = {}): Action => ({ kind: "list", limit: 20, ...more });
const update = (caller: Caller, at: number): Action => ({
  kind: "update",
  id: pick(caller, at),
  title: `Changed ${at}`,
});

const remove = ({ tasks }: Caller, at: number): Action | undefined => {
  const id = tasks[at];
  return id === undefined ? undefined : { kind: "delete", id };
};

/** The operations, in the order of the report. */
export const operations: readonly Operation[] = [
  { name: "list", caller: "few", next: () => list() },
  { name: "page-50", caller: "many", next: ({ cursor }) => list({ before: cursor }) },
  { name: "get", caller: "few", next: (caller, at) => ({ kind: "get", id: pick(caller, at) }) },
  { name: "create", caller: "writer", next: () => ({ kind: "create", id: newId(), title: "New" }) },
  { name: "update", caller: "writer", next: update },
  { name: "delete", caller: "writer", next: remove },
  { name: "count", caller: "few", next: () => ({ kind: "count" }) },
  { name: "list-with-user", caller: "few", next: () => list({ withUser: true }) },
  { name: "search", caller: "few", next: () => list({ search: "needle" }) },
  { name: "1000-rows", caller: "many", next: () => list({ limit: 1000 }) },
  {
    name: "mix",
    caller: "writer",
    next: (caller, at) => (at % 10 === 9 ? update(caller, at) : list()),
  },
];

/** A new UUID, version 7. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, (BigInt(Date.now()) << 16n) | 0x7000n | BigInt(view.getUint16(6) & 0xfff));
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Buffer.from(bytes).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
