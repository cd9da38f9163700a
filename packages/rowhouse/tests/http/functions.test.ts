import { afterAll, beforeAll, expect, test } from "vitest";
import { actAs, claimsCaller } from "../../src/access/model/caller.ts";
import { parseClaims } from "../../src/access/why/question.ts";
import { openProject } from "../../src/lib/project.ts";
import { readApiNames } from "../../src/stack/api-names.ts";
import { withClient } from "../../src/stack/database.ts";
import { signClaims } from "../../src/stack/token.ts";
import { type Caller, caller, claimsFor, secret, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "./backend.ts";

// What the generated types say of functions: see src/schema/types/.
const functions = `
  create function api.default_beside(a int) returns int language sql return 1;
  create function api.default_beside(a int, b text default '', c text default '') returns text
    language sql return 'two';
  create function api.typed(a int) returns int language sql return 1;
  create function api.typed(a text) returns text language sql return '';
  create function api.none_or_one() returns int language sql return 1;
  create function api.none_or_one(a int default 1) returns text language sql return 'one';
  create function api.outs(a int, out n bigint, inout m int default 1) language sql
    as 'select a::bigint, m';
  create function api.single_out(out n bigint) language sql return 9007199254740993;
  create function api.unnamed_out(out bigint) language sql return 2;
  create function api.unnamed_outs(out bigint, out int) language sql return (3::bigint, 4);
  create function api.row_out(out one api.users) language sql as 'select null::api.users';
  create function api.many_outs(out n bigint, out m int) returns setof record language sql
    as 'select 1::bigint, 2';
  create function api.claim_n() returns text stable language sql
    return current_setting('request.jwt.claims')::json ->> 'n';
  grant execute on all functions in schema api to authenticated;`;

let api: Backend;
let alice: Caller;

beforeAll(async () => {
  api = await startBackend({}, functions);
  alice = await signIn(api);
});
afterAll(() => api.stop());

const call = async (name: string, body: object = {}) => {
  const answer = await alice.ask(`/rpc/${name}`, { method: "POST", body });
  return { status: answer.status, body: answer.body };
};

test("PostgREST chooses among functions of one name by the names of the arguments alone", async () => {
  expect(await call("default_beside", { a: 1, b: "" })).toEqual({ status: 200, body: "two" });
  expect(await call("default_beside", { a: 1, c: "" })).toEqual({ status: 200, body: "two" });
  expect(await call("none_or_one", { a: 1 })).toEqual({ status: 200, body: "one" });
  const ambiguous = { status: 300, body: { code: "PGRST203" } };
  expect(await call("default_beside", { a: 1 })).toMatchObject(ambiguous);
  expect(await call("typed", { a: 1 })).toMatchObject(ambiguous);
  expect(await call("typed", { a: "text" })).toMatchObject(ambiguous);
  expect(await call("none_or_one")).toMatchObject(ambiguous);
});

test("OUT arguments make a row, also a single one", async () => {
  expect(await call("outs", { a: 5 })).toEqual({ status: 200, body: { n: 5, m: 1 } });
  expect(await call("single_out")).toMatchObject({ status: 200, body: { n: expect.anything() } });
  expect(await call("unnamed_out")).toEqual({ status: 200, body: { pgrst_call: 2 } });
  expect(await call("unnamed_outs")).toEqual({ status: 200, body: { column1: 3, column2: 4 } });
  expect(await call("row_out")).toMatchObject({ status: 200, body: { id: null, name: null } });
  expect(await call("many_outs")).toEqual({ status: 200, body: [{ n: 1, m: 2 }] });
});

test("The claims that why and rehearse act with are written as PostgREST writes those of a token", async () => {
  const numbers = [
    ..."9007199254740993 9007199254740992 -1 0 -0 -0.0 0.00 12.50 1.0 1.0e1 1e3 1E+2 1e21 0.0000001".split(
      " ",
    ),
    ..."0.1 0.099 9999999.5 10000000.0 123456789.5 1e400 -1e-400 1e1024 1e1025 0e2000 1.5e-10".split(
      " ",
    ),
    "123456789012345678901234567890.123456789",
    "0.1000000000000000055",
  ];
  const n = `{"n": [${numbers.join(", ")}], "more": {"n": 1e400}}`;
  const claims = { ...parseClaims(n, undefined), sub: alice.id, role: "authenticated" };
  const options = { secret, aud: "rowhouse", iss: "rowhouse", expiresIn: 600 };
  const { email } = claimsFor(alice.id);
  const token = signClaims({ ...claims, email }, options);
  const { body } = await caller(api, token).ask("/rpc/claim_n");
  const acted = await withClient(api.databaseUrl, async (client) => {
    await client.query("begin");
    await actAs(client, claimsCaller(await readApiNames(client, openProject()), claims), false);
    const { rows } = await client.query("select api.claim_n() as n");
    return rows[0].n;
  });
  expect(acted).toBe(body);
  expect(body).toMatch(/^\[9007199254740993,9007199254740992,-1,0,/);
});
