import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { SignedOutError } from "../../../client/index.ts";
import { failure, type Session, startSession } from "./session.ts";
import { answer, type Backend, claimsFor, sign, startBackend } from "./support.ts";

let api: Backend;
let alice: Session;
let good: string;
let expired: string;
beforeAll(async () => {
  api = await startBackend();
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
  good = sign(claimsFor(alice.id));
  expired = sign({ ...claimsFor(alice.id), exp: Math.floor(Date.now() / 1000) - 3600 });
});

const sent = () => alice.proxy.requests.length;

/** A source that gives these tokens in turn, and the last one for ever. */
const createSource = (...tokens: string[]) =>
  vi.fn(async () => (tokens.length > 1 ? tokens.shift() : tokens[0]) ?? "");

describe("A user's token", () => {
  test("may be a string", async () => {
    expect(await alice.client({ token: good }).me()).toMatchObject({ id: alice.id });
  });

  test("may come from a function", async () => {
    expect(await alice.client({ token: () => good }).me()).toMatchObject({ id: alice.id });
  });

  test("may come from a function that takes its time", async () => {
    const token = async () => {
      await new Promise(setImmediate);
      return good;
    };
    expect(await alice.client({ token }).me()).toMatchObject({ id: alice.id });
  });

  test("is asked for when it is needed, and once while it is good", async () => {
    const token = createSource(good);
    const db = alice.client({ token });
    expect(token).not.toHaveBeenCalled();
    await Promise.all(Array.from({ length: 10 }, () => db.tasks.list()));
    await db.tasks.create({ title: "t" });
    expect(token).toHaveBeenCalledTimes(1);
  });
});

describe("A user's token that has expired", () => {
  test("is renewed, and the call goes through", async () => {
    const token = createSource(expired, good);
    const db = alice.client({ token });
    expect(await db.tasks.create({ title: "t" })).toMatchObject({ user_id: alice.id });
    expect(await db.tasks.count()).toBe(1);
    expect(token).toHaveBeenCalledTimes(2);
    expect(sent()).toBe(3);
  });

  test("is renewed for a change, which the server has not begun", async () => {
    const { id } = await alice.db.tasks.create({ title: "old" });
    const db = alice.client({ token: createSource(expired, good) });
    expect(await db.tasks.update(id, { title: "new" })).toMatchObject({ title: "new" });
  });

  test("is renewed for postgrest-js", async () => {
    const { rest } = alice.client({ token: createSource(expired, good) });
    expect((await rest.from("tasks").select().throwOnError()).data).toEqual([]);
  });

  test("is renewed also where nothing may be sent again", async () => {
    const db = alice.client({ token: createSource(expired, good), retry: false });
    expect(await db.tasks.count()).toBe(0);
  });

  test("is renewed once for ten calls at once", async () => {
    const token = createSource(expired, good);
    const db = alice.client({ token });
    await Promise.all(Array.from({ length: 10 }, () => db.tasks.list()));
    expect(token).toHaveBeenCalledTimes(2);
  });

  test("is renewed once for ten calls that are refused in the same moment", async () => {
    const token = createSource(expired, good);
    const refusals: (() => void)[] = [];
    const db = alice.client({
      token,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (response.ok) return response;
        const text = await response.text();
        await new Promise<void>((resolve) => {
          refusals.push(resolve);
          if (refusals.length === 10) for (const release of refusals) release();
        });
        return new Response(text, response);
      },
    });
    await Promise.all(Array.from({ length: 10 }, () => db.tasks.list()));
    expect(refusals).toHaveLength(10);
    expect(token).toHaveBeenCalledTimes(2);
  });

  test("is renewed as often as it expires", async () => {
    const token = createSource(expired, good);
    const db = alice.client({ token });
    await db.tasks.list();
    alice.proxy.next(answer(401));
    const other = sign({ ...claimsFor(alice.id), jti: "another" });
    token.mockResolvedValueOnce(other);
    await db.tasks.list();
    expect(token).toHaveBeenCalledTimes(3);
    expect(alice.proxy.requests.at(-1)?.headers.authorization).toBe(`Bearer ${other}`);
  });
});

describe("A user is signed out", () => {
  test("when the token is a string and has expired, after one request", async () => {
    const error = await failure(alice.client({ token: expired }).tasks.list());
    expect(error).toBeInstanceOf(SignedOutError);
    expect(error).toMatchObject({ status: 401, code: expect.stringMatching(/^PGRST30[13]$/) });
    expect(sent()).toBe(1);
  });

  test("when the new token is refused, too", async () => {
    const older = sign({ ...claimsFor(alice.id), exp: 1000 });
    const token = createSource(expired, older, good);
    const error = await failure(alice.client({ token }).tasks.list());
    expect(error).toBeInstanceOf(SignedOutError);
    expect(token).toHaveBeenCalledTimes(2);
    expect(sent()).toBe(2);
  });

  test("when the source gives the same token again, which is not sent again", async () => {
    const token = createSource(expired);
    expect(await failure(alice.client({ token }).tasks.list())).toBeInstanceOf(SignedOutError);
    expect(token).toHaveBeenCalledTimes(2);
    expect(sent()).toBe(1);
  });

  test.each([
    ["no token", ""],
    ["no JWT", "nonsense"],
    ["a JWT of another kind", "e30.W10.x"],
    ["a JWT without a subject", "e30.e30.x"],
  ])("when what it has is %s", async (_, token) => {
    const error = await failure(alice.client({ token }).tasks.list());
    expect(error).toBeInstanceOf(SignedOutError);
    expect(error.requestId).toBe(alice.proxy.requests[0]?.headers["x-request-id"]);
  });

  test("when the token's claims are refused, and the error names it", async () => {
    const { exp, ...claims } = claimsFor(alice.id);
    const error = await failure(alice.client({ token: sign(claims) }).tasks.list());
    expect(error).toMatchObject({ name: "SignedOutError", details: "token_exp_missing" });
  });
});

describe("A user's source of tokens that fails", () => {
  const cause = new Error("The identity provider is away.");

  test.each([
    [
      "at once",
      () => {
        throw cause;
      },
    ],
    ["after a while", () => Promise.reject(cause)],
  ])(
    "%s signs out with its error as cause, and is asked again by the next call",
    async (_, fail) => {
      const token = vi.fn(async () => good).mockImplementationOnce(fail);
      const db = alice.client({ token });
      const error = await failure(db.tasks.list());
      expect(error).toBeInstanceOf(SignedOutError);
      expect(error).toMatchObject({ status: 0, code: "token", requestId: "", cause });
      expect(sent()).toBe(0);
      expect(await db.tasks.count()).toBe(0);
      expect(token).toHaveBeenCalledTimes(2);
    },
  );

  test("when it is asked again signs out, with the refusal and the cause", async () => {
    const token = createSource(expired, good);
    const db = alice.client({ token });
    token.mockResolvedValueOnce(expired).mockRejectedValueOnce(cause);
    const error = await failure(db.tasks.list());
    expect(error).toMatchObject({
      name: "SignedOutError",
      status: 401,
      code: expect.stringMatching(/^PGRST30[13]$/),
      cause,
    });
    expect(error.message).toContain("JWT expired");
    token.mockReset().mockResolvedValue(good);
    expect(await db.tasks.count()).toBe(0);
  });

  test("for ten calls at once signs them all out, and leaves no unhandled rejection", async () => {
    const token = vi.fn(() => Promise.reject<string>(cause));
    const db = alice.client({ token });
    const errors = await Promise.all(Array.from({ length: 10 }, () => failure(db.tasks.list())));
    for (const error of errors) expect(error).toMatchObject({ name: "SignedOutError", cause });
    expect(token).toHaveBeenCalledTimes(1);
  });

  test("after the call was aborted leaves no unhandled rejection", async () => {
    const controller = new AbortController();
    const token = vi.fn(async () => expired);
    const db = alice.client({
      token,
      onRequest: () => {
        token.mockRejectedValueOnce(cause);
        controller.abort();
      },
    });
    expect(await failure(db.tasks.list({ signal: controller.signal }))).toMatchObject({
      name: "AbortedError",
    });
    await expect.poll(() => token.mock.calls.length).toBe(2);
  });
});
