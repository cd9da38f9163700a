select
  oid,
  'extension' as kind,
  extname as name,
  '' as definition
from pg_catalog.pg_extension
