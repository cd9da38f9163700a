const number = (kind: string, at: number) =>
  `00000000-0000-7000-8000-${kind}${String(at).padStart(8, "0")}`;

/** Who there is: the other one is in one of the two worlds alone. */
export const people = {
  other: "0b0b0b0b-0000-4000-8000-000000000000",
  /** In both, with rows; a run never changes them. */
  reader: "0a0a0a0a-0000-4000-8000-000000000000",
  /** In neither. */
  missing: "0c0c0c0c-0000-4000-8000-000000000000",
};

/** Ids of rows, by whose they are. */
export const ids = {
  /** Each user of a run has rows of these ids. */
  own: [1, 2, 3, 4].map((at) => number("0001", at)),
  other: [1, 2, 3000].map((at) => number("000b", at)),
  otherLists: [1, 2].map((at) => number("00bb", at)),
  missing: number("0002", 1),
};

/** What both worlds hold, and what the one with the other user does besides. */
export const rows = {
  both: `
    insert into api.users (id, email, name, created_at, updated_at)
    values ('${people.reader}', 'reader@example.com', 'Reader', '2025-01-01', '2025-01-01');
    ${rowsOf(people.reader, { tasks: 300, lists: 5, kind: "000a", listKind: "00aa", title: "mine" })}`,
  other: `
    insert into api.users (id, email, name) values ('${people.other}', 'other@example.com', 'Other');
    ${rowsOf(people.other, { tasks: 3000, lists: 20, kind: "000b", listKind: "00bb", title: "theirs" })}`,
};

interface Amounts {
  readonly tasks: number;
  readonly lists: number;
  readonly kind: string;
  readonly listKind: string;
  readonly title: string;
}

function rowsOf(user: string, { tasks, lists, kind, listKind, title }: Amounts): string {
  const id = (prefix: string) =>
    `('00000000-0000-7000-8000-${prefix}' || lpad(i::text, 8, '0'))::uuid`;
  return `
    insert into api.tasks (user_id, id, title, created_at, updated_at)
    select '${user}', ${id(kind)}, '${title} ' || i % 50, '2025-01-01', '2025-01-01'
    from generate_series(1, ${tasks}) as i;
    insert into api.lists (id, title, created_at, updated_at)
    select ${id(listKind)}, '${title} ' || i, '2025-01-01', '2025-01-01'
    from generate_series(1, ${lists}) as i;
    insert into api.lists_members (group_id, user_id, role, created_at, updated_at)
    select ${id(listKind)}, '${user}', 'owner', '2025-01-01', '2025-01-01'
    from generate_series(1, ${lists}) as i;`;
}
