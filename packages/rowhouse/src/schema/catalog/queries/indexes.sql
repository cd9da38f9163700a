select
  indexrelid as oid,
  'index' as kind,
  indexrelid::regclass::text as name,
  pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' invalid' end as definition
from pg_catalog.pg_index
where indrelid not in (select oid from pg_catalog.pg_class where relkind = 't')
