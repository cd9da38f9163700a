import { expect, test } from "vitest";
import { findMentions } from "./mentions.ts";

// A type of the project's own is a row to a parser without a catalog, and none goes into a list of variables.
const joins = (declared: string, into: string) => `
  create or replace function api.accept("Wanted" text) returns text language plpgsql as $$
  declare
    account uuid;
    ${declared}
  begin
    select i.account, i.role, a.slug into account, ${into}
    from invitations as i join accounts as a on a.id = i.account;
    return account;
  end
  $$`;

test.each([
  ["an enum", "role private.account_role; slug text;", "role, slug", ["private.account_role"]],
  [
    "two, with names in quotes",
    'role "My"."Role"; "Slug" public.slug;',
    'role, "Slug"',
    ["My.Role", "public.slug"],
  ],
])(
  "A function in PL/pgSQL that reads into a variable of %s is read",
  (_, declared, into, types) => {
    const found = findMentions(joins(declared, into), "plpgsql");
    expect(found.hidden).toBeNull();
    expect(found.types.map(({ schema, name }) => `${schema}.${name}`)).toEqual(
      expect.arrayContaining(types),
    );
    expect(found.relations.map(({ name }) => name)).toEqual(["invitations", "accounts"]);
  },
);

test("A function that the parser does not read is reported as hidden", () => {
  expect(findMentions(joins("", "role, slug"), "plpgsql").hidden).toBe(
    "the parser does not read it",
  );
});
