-- The search path of a request ($2), for the rest of the transaction: PostgREST's, less what the role
-- ($1) may not use. So it is the same for the owner, and prepared names are not looked up again.
select set_config(
  'search_path',
  coalesce(
    (
      select string_agg(quote_ident(pg_namespace.nspname), ', ' order by wanted.position)
      from unnest($2::text[]) with ordinality as wanted (name, position)
      join pg_catalog.pg_namespace on pg_namespace.nspname = wanted.name
      where has_schema_privilege($1::text, pg_namespace.oid, 'usage')
    ),
    ''
  ),
  true
)
