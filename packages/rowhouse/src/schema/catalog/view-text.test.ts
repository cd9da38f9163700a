import { expect, test } from "vitest";
import { asNewerServersWrite } from "./view-text.ts";

test.each([
  [
    ' SELECT "Ü".id,\n    "Ü"."a.b"\n   FROM app."Ü"\n  WHERE "Ü".id > 1;',
    ' SELECT id,\n    "a.b"\n   FROM app."Ü"\n  WHERE id > 1;',
  ],
  [
    " SELECT t.id FROM app.t WHERE (t.id IN ( SELECT s.id FROM app.s WHERE s.t = t.id)) GROUP BY t.id;",
    " SELECT id FROM app.t WHERE (id IN ( SELECT s.id FROM app.s WHERE s.t = t.id)) GROUP BY id;",
  ],
  [
    " WITH w AS ( SELECT t.id FROM app.t) SELECT w.id FROM w;",
    " WITH w AS ( SELECT t.id FROM app.t) SELECT id FROM w;",
  ],
])("%s: its one relation goes unnamed", (query, newer) => {
  expect(asNewerServersWrite(query)).toBe(newer);
});

test.each([
  " SELECT t.id FROM app.t, app.s;",
  " SELECT t.id FROM (app.t JOIN app.s ON ((t.id = s.id)));",
  " SELECT t.id FROM app.t UNION SELECT s.id FROM app.s;",
  " SELECT t.* FROM app.t;",
  " SELECT id FROM app.t;",
])("%s stays", (query) => {
  expect(asNewerServersWrite(query)).toBe(query);
});
