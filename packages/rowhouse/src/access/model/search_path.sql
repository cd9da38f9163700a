-- The search path of a request, for the rest of the transaction: PostgREST's, less what the role
-- may not use. So it is the same for the owner, and prepared names are not looked up again.
select set_config(
  'search_path',
  coalesce(
    (
      select string_agg(nspname, ', ' order by nspname)
      from pg_catalog.pg_namespace
      where nspname in ('api', 'public')
      and has_schema_privilege($1::text, oid, 'usage')
    ),
    ''
  ),
  true
)
