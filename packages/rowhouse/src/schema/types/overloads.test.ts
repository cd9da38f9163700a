import { expect, test } from "vitest";
import { separateOverloads } from "./overloads.ts";

type PgFunction = Parameters<typeof separateOverloads>[0][number];

const names = ["a", "b", "c"];

/** Each way to pick one of these for each name. */
function combinations<T>(choices: readonly T[]): T[][] {
  return names.reduce<T[][]>(
    (all, _) => all.flatMap((one) => choices.map((choice) => [...one, choice])),
    [[]],
  );
}

/** Functions of one name, with each set of required and optional arguments. */
const functions = combinations(["absent", "required", "optional"]).map(
  (fates, id) =>
    ({
      id,
      schema: "api",
      name: "f",
      args: names.flatMap((name, index) =>
        fates[index] === "absent"
          ? []
          : [{ mode: "in", name, type_id: 25, has_default: fates[index] === "optional" }],
      ),
    }) as unknown as PgFunction,
);

const requests = combinations([true, false]).map((given) =>
  names.filter((_, index) => given[index]),
);

/** As PostgREST chooses: all that is required is given, and nothing that is unknown. */
function takes({ args }: PgFunction, request: readonly string[]): boolean {
  return (
    args.every(({ name, has_default }) => has_default || request.includes(name)) &&
    request.every((name) => args.some((arg) => arg.name === name))
  );
}

/** Whether each request is typed as the function that alone takes it, and no other is typed. */
function areTrue(overloads: readonly PgFunction[]): boolean {
  const separated = separateOverloads(overloads, () => false);
  return requests.every((request) => {
    const takers = overloads.filter((fn) => takes(fn, request)).map(({ id }) => id);
    const typed = new Set(separated.filter((fn) => takes(fn, request)).map(({ id }) => id));
    return takers.length === 1 ? typed.size === 1 && typed.has(takers[0] ?? -1) : typed.size === 0;
  });
}

/** Each pair, functions of the same arguments included. */
const pairs = functions.flatMap((one, first) =>
  functions.slice(first).map((two) => [one, { ...two, id: two.id + 100 }]),
);

const triples = pairs.flatMap((pair) =>
  functions.map((three) => [...pair, { ...three, id: three.id + 200 }]),
);

test("of two or three functions, each has the arguments that reach it alone", () => {
  expect([pairs.length, triples.length]).toEqual([(27 * 28) / 2, ((27 * 28) / 2) * 27]);
  expect([...pairs, ...triples].filter((overloads) => !areTrue(overloads))).toEqual([]);
});

test("what is alone, unnamed or a computed column stays as it is", () => {
  const [, second] = functions as [PgFunction, PgFunction];
  const unnamed = { ...second, args: second.args.map((arg) => ({ ...arg, name: "" })) };
  expect(separateOverloads([second, unnamed], () => false)).toEqual([second, unnamed]);
  expect(separateOverloads([second, { ...second }], () => true)).toHaveLength(2);
  expect(separateOverloads([second, { ...second, schema: "v1" }], () => false)).toHaveLength(2);
});
