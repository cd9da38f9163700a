import type { FactKind, FactsByKind, GrantFacts } from "./facts.ts";

/** Says what something is, in words: for people, and to compare by. */
export function define<K extends FactKind>(kind: K, facts: FactsByKind[K]): string {
  return definers[kind](facts);
}

const definers: { readonly [K in FactKind]: (facts: FactsByKind[K]) => string } = {
  policy: ({ permissive, command, roles, using, check }) =>
    words(
      permissive ? "permissive" : "restrictive",
      `for ${command}`,
      `to ${roles.join(", ")}`,
      using !== null && `using (${using})`,
      check !== null && `with check (${check})`,
    ),
  table: ({ relation, detail, below, rowSecurity, forced, options }) =>
    [
      relation + (detail === null ? "" : (separators[relation] ?? ": ") + detail),
      below === null ? "" : ` below ${below}`,
      `, row security ${rowSecurity ? "enabled" : "disabled"}`,
      forced ? " and forced" : "",
      options.length > 0 ? `, ${options.join(", ")}` : "",
    ].join(""),
  column: (column) =>
    words(
      column.type,
      column.collation !== null && `collate ${column.collation}`,
      column.notNull && "not null",
      column.identity !== null && `identity ${column.identity}`,
      column.generated ?? false,
      column.statistics !== null && `statistics ${column.statistics}`,
      column.default !== null && `default ${column.default}`,
    ),
  owner: ({ owner }) => owner,
  grant: definePrivilege,
  revoke: definePrivilege,
  "default privilege": definePrivilege,
  role: (role) =>
    words(
      role.login ? "login" : "nologin",
      role.inherit ? "inherit" : "noinherit",
      role.superuser && "superuser",
      role.createRole && "createrole",
      role.createDatabase && "createdb",
      role.replication && "replication",
      role.bypassRls && "bypassrls",
      role.connectionLimit !== null && `connection limit ${role.connectionLimit}`,
      role.settings.length > 0 && `set ${role.settings.join(", ")}`,
      role.memberOf.length > 0 && `member of ${role.memberOf.join(", ")}`,
    ),
  type: ({ labels, detail }) =>
    labels === null ? (detail ?? "") : `enum: ${labels.map(quoteLiteral).join(", ")}`,
};

/** Between what it is and the detail; a colon by default. */
const separators: Readonly<Record<string, string>> = {
  "partitioned table": ", ",
  sequence: " of ",
};

function words(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(" ");
}

function definePrivilege({
  privilege,
  grantable,
}: Pick<GrantFacts, "privilege" | "grantable">): string {
  return grantable ? `${privilege} with grant option` : privilege;
}

/** A string as PostgreSQL's quote_literal() writes it. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? `E${quoted}` : quoted;
}
