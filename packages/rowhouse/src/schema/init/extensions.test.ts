import { expect, test } from "vitest";
import { withClient } from "../../stack/database.ts";
import { emptyDatabase, testScratch } from "../../testing/database.ts";
import { readSnapshot, type Snapshot } from "../plan/snapshot.ts";
import { withoutMissingMembers } from "./extensions.ts";

/** A database whose citext has a function that no new server's has; only its owner may use that. */
const own = `
  create schema ext;
  create extension citext schema ext;
  create extension pg_trgm schema ext;
  create function ext.old_one() returns int language sql as 'select 1';
  revoke execute on function ext.old_one() from public;
  alter extension citext add function ext.old_one();
  revoke execute on function ext.similarity(text, text) from public;
`;

async function readWithout(sql: string) {
  const url = await emptyDatabase();
  await withClient(url, (client) => client.query(sql));
  const none = { schemas: [], roles: [], extensions: [] };
  const snapshot = await readSnapshot(url, { platform: none });
  return { snapshot, kept: await withoutMissingMembers(testScratch(), url, snapshot) };
}

const names = ({ privileges }: Snapshot) => [...privileges.objects.keys()];

test("privileges on what a new version of an extension lacks are left out, and named", async () => {
  const { snapshot, kept } = await readWithout(own);
  expect(kept.notes).toEqual([
    "Who may use the function ext.old_one() was left out: the version of its extension that a new server has does not bring it.",
  ]);
  const others = names(snapshot).filter((name) => name !== "function ext.old_one()");
  expect(others).toHaveLength(names(snapshot).length - 1);
  expect(names(kept.snapshot)).toEqual(others);
});

test("privileges on an extension that cannot be made are kept, and its error is named", async () => {
  const { snapshot, kept } = await readWithout(
    `${own} update pg_catalog.pg_extension set extname = 'of_old' where extname = 'citext';`,
  );
  expect(kept.notes).toEqual([
    expect.stringMatching(
      /^The extension of_old could not be made on a scratch server, .*: extension "of_old" is not available/,
    ),
  ]);
  expect(names(kept.snapshot)).toEqual(names(snapshot));
});
