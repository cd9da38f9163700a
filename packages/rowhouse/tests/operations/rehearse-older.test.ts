import { expect, test } from "vitest";
import { findChangedThings, readDependencies } from "../../src/access/rehearse/dependencies.ts";
import { openProject } from "../../src/lib/project.ts";
import { readApiNames } from "../../src/stack/api-names.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { hasDebianServer, startDebianServer } from "../support/debian-server.ts";

const view = `
  create schema zoo;
  create table zoo.animals (chip int, name text);
  create view zoo.chips as select animals.chip from zoo.animals where animals.name <> '';
  set search_path = '';`;

test.skipIf(!hasDebianServer)(
  "a view that PostgreSQL 15 holds is the declared one to a rehearsal",
  async () => {
    const read = (url: string) =>
      withClient(url, async (client) => {
        await client.query(view);
        return readDependencies(client, await readApiNames(client, openProject()));
      });
    const server = await startDebianServer();
    try {
      const older = await read(server.url);
      expect(older.things.map(({ id }) => id)).toContain("relation zoo.chips");
      const changed = findChangedThings(await read(await cloneDatabase()), older);
      expect(changed.filter(({ kind }) => kind !== "privileges")).toEqual([]);
    } finally {
      await server.stop();
    }
  },
);
