select
  oid,
  'schema' as kind,
  nspname as name,
  '' as definition
from pg_catalog.pg_namespace
where nspname !~ '^pg_'
