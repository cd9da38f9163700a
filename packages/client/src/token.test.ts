import { describe, expect, test, vi } from "vitest";
import { createTokenCache, readSubject } from "./token.ts";

/** A source that returns a new token with each call. */
function numberedTokens() {
  let number = 0;
  return vi.fn(async () => {
    number += 1;
    return `token ${number}`;
  });
}

describe("The token cache", () => {
  test("calls its source when a token is needed, and once for parallel callers", async () => {
    const source = numberedTokens();
    const { get } = createTokenCache(source);
    expect(source).not.toHaveBeenCalled();
    expect(await Promise.all([get(), get()])).toEqual(["token 1", "token 1"]);
    expect(source).toHaveBeenCalledTimes(1);
  });

  test("renews a refused token once for parallel callers", async () => {
    const source = numberedTokens();
    const { get, renew } = createTokenCache(source);
    const token = await get();
    expect(await Promise.all([renew(token), renew(token)])).toEqual(["token 2", "token 2"]);
    expect(await renew(token)).toBe("token 2");
    expect(source).toHaveBeenCalledTimes(2);
  });

  test("has no other token when the source is a string, or returns the same again", async () => {
    expect(await createTokenCache("same").renew("same")).toBeUndefined();
    const { get, renew } = createTokenCache(() => "same");
    expect(await renew(await get())).toBeUndefined();
  });

  test("calls a source that failed again", async () => {
    const source = numberedTokens().mockRejectedValueOnce(new Error("offline"));
    const { get } = createTokenCache(source);
    await expect(get()).rejects.toThrow("offline");
    expect(await get()).toBe("token 1");
  });
});

describe("The subject of a token", () => {
  const encode = (claims: unknown) =>
    `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;

  test.each([
    [{ sub: "alice" }, "alice"],
    [{ sub: "älïcé ☃ ???>>>" }, "älïcé ☃ ???>>>"],
    [{ sub: "" }, undefined],
    [{ sub: 5 }, undefined],
    [{}, undefined],
    [null, undefined],
    ["text", undefined],
  ])("with the claims %j is %s", (claims, subject) => {
    expect(readSubject(encode(claims))).toBe(subject);
  });

  test.each(["", "nonsense", "a.b.c", "x.%%%.x"])("%j, which is no JWT, is undefined", (token) => {
    expect(readSubject(token)).toBeUndefined();
  });
});
