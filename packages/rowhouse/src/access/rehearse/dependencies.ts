import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { isOlderServer } from "../../schema/catalog/catalog.ts";
import { quoteName } from "../../schema/catalog/sql.ts";
import { asNewerServersWrite } from "../../schema/catalog/view-text.ts";
import type { ApiNames } from "../../stack/api-names.ts";
import type { ApiRole, Relation } from "../model/model.ts";
import { classify, classifySetting, formats, isCatalogType } from "./builtins.ts";
import { findMentions, type Language, type Mentions, type Name } from "./mentions.ts";

/** What a condition can rest on: a function, a table, what a role reads of it, a setting ... */
export interface Thing {
  /** The same in every database: "function private.is_member(uuid)". */
  readonly id: string;
  readonly kind: string;
  readonly schema: string;
  readonly name: string;
  /** All that decides what it gives to a role of the API, less what stands in others. */
  readonly definition: string;
  /** What the text is written in: SQL, PL/pgSQL, expressions, nothing, or a language out of reach. */
  readonly language: string;
  readonly text: string | null;
  /** Expressions for the arguments of a function that are not given. */
  readonly defaults: string | null;
  /** Whether PostgreSQL has read the text itself, so that `uses` has all but its own functions. */
  readonly exact: boolean;
  readonly immutable: boolean;
  /** Whether it reads tables past their policies and the caller's grants. */
  readonly past: boolean;
  /** Whether it is a function that runs with its owner's rights, whoever calls it. */
  readonly definer: boolean;
  /** The roles that may call it. */
  readonly usableBy: readonly ApiRole[];
  /** The ids of what it rests on, by pg_depend. */
  readonly uses: readonly string[];
}

/** The id of a table or view. */
export function relationId(relation: Relation): string {
  return `relation ${catalogName(relation)}`;
}

/** The id of a policy of a table. */
export function policyId(policy: string, relation: Relation): string {
  return `policy ${quoteName(policy)} on ${catalogName(relation)}`;
}

/** The id of what a column holds by default, or is computed by. */
export function columnId(kind: "default" | "values", column: string, relation: Relation): string {
  return `${kind} of ${quoteName(column)} of ${catalogName(relation)}`;
}

/** As PostgreSQL writes it where nothing is on the search path. */
function catalogName({ schema, name }: Relation): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** All that conditions can rest on, in one database. */
export interface Dependencies {
  readonly things: readonly Thing[];
  /** PostgreSQL's own functions that look at more than their arguments. */
  readonly builtins: readonly string[];
}

const query = readFileSync(join(import.meta.dirname, "dependencies.sql"), "utf8");

/** Reads what conditions can rest on. The search path has to be empty. */
export async function readDependencies(
  client: pg.ClientBase,
  { roles, logins }: ApiNames,
): Promise<Dependencies> {
  const found = (await client.query<Thing>(query, [roles, logins])).rows;
  const things = (await isOlderServer(client)) ? found.map(withNewerText) : found;
  const { rows } = await client.query<{ name: string }>(
    "select distinct proname as name from pg_catalog.pg_proc where pronamespace = 'pg_catalog'::regnamespace and provolatile <> 'i'",
  );
  return { things, builtins: rows.map(({ name }) => name) };
}

/** A view as newer servers write it, so that it is equal to the declared one. */
function withNewerText(thing: Thing): Thing {
  const { kind, text, definition } = thing;
  if (kind !== "relation" || text === null) return thing;
  const newer = asNewerServersWrite(text);
  return { ...thing, text: newer, definition: definition.replace(text, () => newer) };
}

/** What something rests on, itself and through others. */
export interface Reach {
  readonly things: readonly Thing[];
  /** Whether it looks at who runs it, or reads rows that depend on that. */
  readonly asRole: boolean;
  /** The claims that it reads of the token; null for one whose name is computed. */
  readonly claims: readonly (string | null)[];
  /** Why only a request shows what it gives; null when a rehearsal can. */
  readonly hidden: string | null;
  /** Whether it may rest on anything in the database. */
  readonly anything: boolean;
}

/**
 * What conditions rest on.
 *
 * @param ids Of policies, functions or views.
 * @param isPast Whether a thing reads tables past their policies.
 * @param isClosed Whether it does not matter what a thing itself rests on.
 */
export function findReach(
  { things, builtins }: Dependencies,
  ids: readonly string[],
  isPast: (thing: Thing) => boolean = ({ past }) => past,
  isClosed: (thing: Thing) => boolean = () => false,
): Reach {
  const index = getIndex(things, builtins);
  const found = new Map<string, Thing>();
  const reach = { asRole: false, hidden: null as string | null, anything: false };
  const seen = new Set<string>();
  const queue = ids.map((id) => ({ id, past: false }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const key = `${next.past} ${next.id}`;
    const thing = index.byId.get(next.id);
    if (thing === undefined || seen.has(key)) continue;
    // A view reads as its owner, and calls functions as the caller; a function does both as its owner.
    if (next.past && thing.kind === "access") continue;
    seen.add(key);
    found.set(thing.id, thing);
    const own = lookInto(thing, index, isClosed);
    reach.asRole ||= own.asRole || thing.kind === "relation";
    reach.hidden ??= own.hidden;
    reach.anything ||= own.anything;
    const past = next.past || isPast(thing);
    for (const id of own.uses) {
      const staysCaller = thing.kind === "relation" && !/^(access|relation) /.test(id);
      queue.push({ id, past: staysCaller ? false : past });
    }
  }
  const claims = [...found.values()].flatMap((thing) => index.look(thing).claims);
  return { things: [...found.values()], claims: [...new Set(claims)], ...reach };
}

function lookInto(thing: Thing, { look }: Index, isClosed: (thing: Thing) => boolean): Look {
  return isClosed(thing) ? nothing : look(thing);
}

/** What a thing rests on at once. */
interface Look {
  readonly uses: readonly string[];
  readonly claims: readonly (string | null)[];
  readonly asRole: boolean;
  readonly hidden: string | null;
  readonly anything: boolean;
}

const nothing: Look = { uses: [], claims: [], asRole: false, hidden: null, anything: false };

interface Index {
  readonly byId: ReadonlyMap<string, Thing>;
  readonly look: (thing: Thing) => Look;
}

const indexes = new WeakMap<readonly Thing[], Index>();

function getIndex(things: readonly Thing[], builtins: readonly string[]): Index {
  const known = indexes.get(things);
  if (known !== undefined) return known;
  const looks = new Map<Thing, Look>();
  const byId = new Map(things.map((thing) => [thing.id, thing]));
  const named = groupByName(things);
  const impure = new Set(builtins);
  const look = (thing: Thing) => {
    const own = looks.get(thing) ?? lookAt(thing, { named, impure, byId });
    looks.set(thing, own);
    return own;
  };
  const index = { byId, look };
  indexes.set(things, index);
  return index;
}

function groupByName(things: readonly Thing[]): ReadonlyMap<string, readonly Thing[]> {
  const named = new Map<string, Thing[]>();
  for (const thing of things) {
    const key = `${thing.kind} ${thing.name}`;
    named.set(key, [...(named.get(key) ?? []), thing]);
  }
  return named;
}

interface Known {
  readonly named: ReadonlyMap<string, readonly Thing[]>;
  readonly impure: ReadonlySet<string>;
  readonly byId: ReadonlyMap<string, Thing>;
}

/**
 * The body of request.plannable(), whatever its name: it looks at the statement of the request, and
 * answers the same to all that are no EXPLAIN. See sql/request/plannable.sql.
 */
const plannable =
  /\bbegin\s(?:\s*--[^\n]*\n)*\s*if pg_catalog\.current_query\(\) ~\* '\^[^']*\*explain\\M'\s+and coalesce\(pg_catalog\.current_setting\('request\.method', true\), ''\) <> ''\s+then\s+raise sqlstate 'PT\d+' using[^;]*;\s+end if;\s+return true;\s+end\b/;

function lookAt(thing: Thing, known: Known): Look {
  if (plannable.test(thing.text ?? "")) return nothing;
  const texts = [
    ...(thing.text !== null && isReadable(thing.language)
      ? [{ mentions: findMentions(thing.text, thing.language), exact: thing.exact }]
      : []),
    ...(thing.defaults === null
      ? []
      : [{ mentions: findMentions(thing.defaults, "expression"), exact: true }]),
  ];
  const looks = texts.map(({ mentions, exact }) => resolve(mentions, exact, known));
  // What C or another language does is unknown; where it is declared immutable, that is believed.
  const opaque =
    thing.kind === "function" &&
    thing.language !== "none" &&
    !isReadable(thing.language) &&
    !thing.immutable;
  return {
    uses: [...new Set([...thing.uses, ...looks.flatMap(({ uses }) => uses)])],
    claims: looks.flatMap(({ claims }) => claims),
    asRole: opaque || looks.some(({ asRole }) => asRole),
    hidden: opaque
      ? `${describeThing(thing)} is written in ${thing.language}`
      : (looks.find(({ hidden }) => hidden !== null)?.hidden ?? null),
    anything: looks.some(({ anything }) => anything),
  };
}

function isReadable(language: string): language is Language {
  return language === "sql" || language === "plpgsql" || language === "expression";
}

/** Finds what the names in a text stand for: rather too much than too little. */
function resolve(mentions: Mentions, exact: boolean, { named, impure, byId }: Known): Look {
  const find = (kind: string, { schema, name }: Name) =>
    (named.get(`${kind} ${name}`) ?? []).filter(
      (thing) => schema === null || thing.schema === schema,
    );
  const uses: Thing[] = [];
  const marks: Mark[] = [];
  if (!exact) {
    uses.push(...mentions.functions.flatMap((name) => find("function", name)));
    uses.push(...mentions.operators.flatMap((name) => find("operator", name)));
    uses.push(...mentions.types.flatMap((name) => find("type", name)));
    uses.push(...mentions.attributes.flatMap((name) => find("function", { schema: null, name })));
    // Casts go without a word.
    uses.push(...[...byId.values()].filter(({ kind }) => kind === "cast"));
  }
  for (const name of mentions.functions) marks.push(...markFunction(name, impure));
  for (const name of mentions.relations) {
    const found = find("relation", name);
    uses.push(...found);
    const isQuery = name.schema === null && mentions.queries.includes(name.name);
    if (found.length === 0 && !isQuery) marks.push({ kind: "anything", what: name.name });
  }
  for (const { name } of mentions.types)
    if (isCatalogType(name)) marks.push({ kind: "anything", what: name });
  marks.push(...mentions.values.flatMap(markValue));
  marks.push(...mentions.settings.flatMap((name) => markSetting(name, byId)));
  if (mentions.hidden !== null) marks.push({ kind: "anything", what: mentions.hidden });
  const isPrivilege = marks.some(({ kind }) => kind === "privileges");
  const settings = [...formats, ...mentions.settings.flatMap((name) => name ?? [])];
  const hidden = marks.find(({ kind }) => kind === "request" || kind === "anything");
  return {
    uses: [
      ...uses.map(({ id }) => id),
      ...(isPrivilege ? ["privileges"] : []),
      ...settings.map((name) => `setting ${name}`),
    ],
    claims: findClaims(mentions, exact, (name) => find("function", name)),
    asRole: marks.length > 0 || mentions.relations.length > 0,
    hidden: hidden === undefined ? null : `it looks at more than rows and claims (${hidden.what})`,
    anything: marks.some(({ kind }) => kind === "anything"),
  };
}

/** The setting that holds all claims, and those of PostgREST 8 and older, which hold one each. */
const allClaims = "request.jwt.claims";
const oneClaim = /^request\.jwt\.claim\.(.+)$/;

/**
 * The claims that a text reads: of the setting, by a function that gives them all, or of a variable beside
 * these. What PostgreSQL has read itself has no variables.
 */
function findClaims(
  { settings, functions, keys }: Mentions,
  exact: boolean,
  find: (name: Name) => readonly Thing[],
): (string | null)[] {
  const givesClaims = (name: Name) => find(name).some(isClaims);
  const hasVariable = !exact && (settings.includes(allClaims) || functions.some(givesClaims));
  const read = keys.filter(
    (one) =>
      one.settings.includes(allClaims) ||
      one.functions.some(givesClaims) ||
      (one.isVariable && hasVariable),
  );
  const old = settings.flatMap((name) => oneClaim.exec(name ?? "")?.[1] ?? []);
  return [...read.map(({ key }) => key), ...old];
}

/** Whether a function gives all claims, like request.claims() or auth.jwt(). */
function isClaims({ kind, definition, text }: Thing): boolean {
  return (
    kind === "function" &&
    /^ RETURNS jsonb?$/m.test(definition) &&
    /request\.jwt\.claims'/.test(text ?? "")
  );
}

/** Something that is more than a look at the row and the claims. */
interface Mark {
  readonly kind: "role" | "privileges" | "request" | "anything";
  readonly what: string;
}

function markFunction({ schema, name }: Name, impure: ReadonlySet<string>): Mark[] {
  const isBuiltin = schema === null || schema === "pg_catalog";
  if (!isBuiltin || !impure.has(name)) return [];
  const kind = classify(name);
  return kind === "harmless" ? [] : [{ kind, what: `${name}()` }];
}

function markValue(value: string): Mark[] {
  const what = value.replace(/^SVFOP_/, "").toLowerCase();
  if (/^(current_user|current_role|user)$/.test(what)) return [{ kind: "role", what }];
  if (what === "session_user") return [{ kind: "request", what }];
  // current_catalog and current_schema; the others tell the time.
  return /^current_(catalog|schema)$/.test(what) ? [{ kind: "request", what }] : [];
}

function markSetting(name: string | null, byId: ReadonlyMap<string, Thing>): Mark[] {
  if (name === null) return [{ kind: "anything", what: "current_setting()" }];
  // What is set for the whole database is set in each connection, also in that of a rehearsal.
  const isSet = byId.get(`setting ${name}`)?.schema === "database";
  const kind = isSet ? "harmless" : classifySetting(name);
  return kind === "harmless" ? [] : [{ kind, what: `current_setting('${name}')` }];
}

/** A thing in words, as a person would name it. */
export function describeThing({ kind, schema, name }: Thing): string {
  if (kind === "function") return `${schema}.${name}()`;
  if (kind === "setting") return `the setting ${name}`;
  if (kind === "privileges") return "what the roles of the API may do";
  if (["relation", "access", "column", "values"].includes(kind)) return `${schema}.${name}`;
  if (kind === "default") return `the default of ${schema}.${name}`;
  return [kind, [schema, name].filter((part) => part !== "").join(".")].join(" ");
}

/** Who may read a column, what stands in it, and what stands there by default. */
const columnKinds = ["column", "values", "default"];

/** The things that changed, or are new. Policies are compared themselves, by what they let pass. */
export function findChangedThings(before: Dependencies, after: Dependencies): Thing[] {
  const old = new Map(before.things.map((thing) => [thing.id, thing.definition]));
  return after.things.filter(({ id, kind, definition }) => {
    if (kind === "policy") return false;
    // A column that is new holds nothing yet.
    if (columnKinds.includes(kind) && !old.has(id)) return false;
    return old.get(id) !== definition;
  });
}
