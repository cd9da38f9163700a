-- The search path of a request, for the rest of the transaction: PostgREST's, less what the role
-- may not use. So it is the same for the owner, and what is prepared is not looked up anew.
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
