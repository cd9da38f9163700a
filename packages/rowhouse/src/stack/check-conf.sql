-- From the catalog, since to_regprocedure() wants USAGE on the schema.
select
  array(
    select name
    from unnest($1::text[]) as served (name)
    where to_regnamespace(quote_ident(name)) is null
  ) as schemas,
  $2::text is not null and to_regrole(quote_ident($2)) is null as anon_role,
  $3::text is not null
  and not exists (
    select
    from pg_catalog.pg_proc as function
    join pg_catalog.pg_namespace as schema on schema.oid = function.pronamespace
    -- As PostgREST reads it: as it stands, in capitals too.
    cross join string_to_array($3, '.') as parts
    where function.proname = parts[cardinality(parts)]
    and (cardinality(parts) = 1 or schema.nspname = parts[1])
  ) as pre_request
