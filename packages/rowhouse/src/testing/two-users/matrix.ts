/** Who sends a request: the user whose row it is about, another user, or a request without a token. */
export type Actor = "owner" | "other" | "anonymous";

/** Which rows a request is about: the owner's row, all of the owner's, or all that there are. */
export type Filter = "the row" | "the owner's rows" | "all rows";

/** What a request sends. */
export type Body =
  /** A new row of the actor's. */
  | "new row"
  /** A new row of the actor's that has the id of the owner's row. */
  | "new row with the row's id"
  /** A new row that says it is the owner's. */
  | "new row of the owner"
  /** The owner's row, to be written over. */
  | "the row"
  /** A new value for one column. */
  | "change"
  /** The owner's id as the owner of what is there. */
  | "the owner";

/** A request, before it is known of which table and rows. */
export interface RequestPlan {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Nothing for POST. */
  readonly filter?: Filter;
  readonly body?: Body;
  /** Whether the answer holds the rows. */
  readonly returned?: true;
  /** Whether a row that is there already is written over. */
  readonly merged?: true;
}

/** What has to come of a request. */
export interface Expected {
  readonly status: number;
  /** The code of the error. */
  readonly code?: string;
  /** How many rows the answer holds, each of them the actor's own. */
  readonly rows?: number;
}

/** One line of the matrix: what one of two users, or an anonymous caller, tries on a row. */
export interface MatrixLine {
  /** "another user reads it by id" */
  readonly what: string;
  readonly actor: Actor;
  /** What the role authenticated has to be granted; without it the owner's line is not tried. */
  readonly needs?: "insert" | "insert of the id" | "update" | "delete";
  readonly request: RequestPlan;
  readonly expected: Expected;
  /** Whether the answer must be the same for a row, or an owner, that is not there. */
  readonly likeAbsent?: true;
}

const nothing: Expected = { status: 200, rows: 0 };
const one: Expected = { status: 200, rows: 1 };
const done: Expected = { status: 204 };
const refused: Expected = { status: 403, code: "42501" };
const unauthorized: Expected = { status: 401 };

/**
 * The matrix of two users: what each tries on an owned row, and what has to come of it. Owner and
 * other have one row each. But for what the owner does, the owner's rows must stay as they were.
 */
export const matrix: readonly MatrixLine[] = [
  {
    what: "the owner creates a row",
    actor: "owner",
    needs: "insert",
    request: { method: "POST", body: "new row", returned: true },
    expected: { status: 201, rows: 1 },
  },
  {
    what: "the owner reads the row by id",
    actor: "owner",
    request: { method: "GET", filter: "the row" },
    expected: one,
  },
  {
    what: "the owner lists their own rows alone",
    actor: "owner",
    request: { method: "GET", filter: "all rows" },
    expected: one,
  },
  {
    what: "the owner changes the row",
    actor: "owner",
    needs: "update",
    request: { method: "PATCH", filter: "the row", body: "change", returned: true },
    expected: one,
  },
  {
    what: "the owner deletes the row",
    actor: "owner",
    needs: "delete",
    request: { method: "DELETE", filter: "the row", returned: true },
    expected: one,
  },
  {
    what: "another user reads the row by id",
    actor: "other",
    request: { method: "GET", filter: "the row" },
    expected: nothing,
    likeAbsent: true,
  },
  {
    what: "another user lists their own rows alone",
    actor: "other",
    request: { method: "GET", filter: "all rows" },
    expected: one,
  },
  {
    what: "another user reads the owner's rows",
    actor: "other",
    request: { method: "GET", filter: "the owner's rows" },
    expected: nothing,
    likeAbsent: true,
  },
  {
    what: "another user changes the row by id",
    actor: "other",
    needs: "update",
    request: { method: "PATCH", filter: "the row", body: "change", returned: true },
    expected: nothing,
    likeAbsent: true,
  },
  {
    // Without a filter, and with nothing returned, only the policy for updates is asked.
    what: "another user changes all rows that they reach",
    actor: "other",
    needs: "update",
    request: { method: "PATCH", filter: "all rows", body: "change" },
    expected: done,
  },
  {
    what: "another user deletes the row by id",
    actor: "other",
    needs: "delete",
    request: { method: "DELETE", filter: "the row", returned: true },
    expected: nothing,
    likeAbsent: true,
  },
  {
    what: "another user deletes all rows that they reach",
    actor: "other",
    needs: "delete",
    request: { method: "DELETE", filter: "all rows" },
    expected: done,
  },
  {
    what: "another user creates a row for the owner",
    actor: "other",
    request: { method: "POST", body: "new row of the owner" },
    expected: refused,
  },
  {
    what: "another user creates a row of their own with the row's id",
    actor: "other",
    needs: "insert of the id",
    request: { method: "POST", body: "new row with the row's id" },
    expected: { status: 201 },
    likeAbsent: true,
  },
  {
    what: "another user gives a row of their own to the owner",
    actor: "other",
    request: { method: "PATCH", filter: "all rows", body: "the owner" },
    expected: refused,
  },
  {
    what: "another user writes over the row by upsert",
    actor: "other",
    request: { method: "POST", body: "the row", merged: true },
    expected: refused,
    likeAbsent: true,
  },
  {
    what: "an anonymous caller lists rows",
    actor: "anonymous",
    request: { method: "GET", filter: "all rows" },
    expected: unauthorized,
  },
  {
    what: "an anonymous caller reads the row by id",
    actor: "anonymous",
    request: { method: "GET", filter: "the row" },
    expected: unauthorized,
  },
  {
    what: "an anonymous caller creates a row",
    actor: "anonymous",
    request: { method: "POST", body: "new row of the owner" },
    expected: unauthorized,
  },
  {
    what: "an anonymous caller changes all rows",
    actor: "anonymous",
    request: { method: "PATCH", filter: "all rows", body: "change" },
    expected: unauthorized,
  },
  {
    what: "an anonymous caller deletes all rows",
    actor: "anonymous",
    request: { method: "DELETE", filter: "all rows" },
    expected: unauthorized,
  },
];

/** The lines for the table of users itself, whose row is there once the user is. */
export const usersMatrix: readonly MatrixLine[] = matrix.filter(
  ({ request: { body, filter } }) =>
    body !== "new row" && body !== "new row with the row's id" && filter !== "the owner's rows",
);

/** What has to come of a line for which the role authenticated lacks the grant. */
export const withoutGrant: Expected = refused;
