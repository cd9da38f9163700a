import type { GeneratorMetadata } from "@supabase/postgrest-typegen";

type PgFunction = GeneratorMetadata["functions"][number];
type Arg = PgFunction["args"][number];

/**
 * Functions of one name, by the arguments with which a request reaches each. PostgREST chooses by
 * the names of the arguments alone, and refuses a request that two functions would take: so each
 * takes only what no other of its name takes. It comes several times where that needs several
 * lists of arguments, and not at all where no request reaches it.
 *
 * @param isComputedColumn Whether the function's one argument is a row.
 */
export function separateOverloads(
  functions: readonly PgFunction[],
  isComputedColumn: (fn: PgFunction) => boolean,
): PgFunction[] {
  // What is asked for as a column, or takes the whole body, is not chosen by names.
  const isNamed = (fn: PgFunction) =>
    !isComputedColumn(fn) && inputs(fn).every(({ name }) => name !== "");
  return functions.flatMap((fn) => {
    if (!isNamed(fn)) return [fn];
    const others = functions.filter(
      (one) => one !== fn && one.schema === fn.schema && one.name === fn.name && isNamed(one),
    );
    let variants = [fn];
    for (const other of others) {
      variants = variants.flatMap((variant) => subtract(variant, other));
    }
    return variants;
  });
}

/** The same function, once for each way to call it that the other one does not take. */
function subtract(fn: PgFunction, other: PgFunction): PgFunction[] {
  const own = inputs(fn);
  const others = inputs(other);
  const taken = new Set(others.map(({ name }) => name));
  const needed = others.filter(({ has_default }) => !has_default).map(({ name }) => name);
  const has = (name: string) => own.some((arg) => arg.name === name);
  const cannotBoth =
    own.some((arg) => !arg.has_default && !taken.has(arg.name)) || needed.some((one) => !has(one));
  if (cannotBoth) return [fn];
  const optional = own.filter(({ has_default }) => has_default);
  return [
    ...optional
      .filter(({ name }) => !taken.has(name))
      .map((arg) =>
        withArgs(fn, (one) => (one === arg ? [{ ...one, has_default: false }] : [one])),
      ),
    ...optional
      .filter(({ name }) => needed.includes(name))
      .map((arg) => withArgs(fn, (one) => (one === arg ? [] : [one]))),
  ];
}

const inputs = (fn: PgFunction) => fn.args.filter(({ mode }) => mode !== "table" && mode !== "out");

function withArgs(fn: PgFunction, change: (arg: Arg) => Arg[]): PgFunction {
  return { ...fn, args: fn.args.flatMap(change) };
}
