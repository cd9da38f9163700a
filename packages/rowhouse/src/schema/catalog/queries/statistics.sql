select
  oid,
  'statistics' as kind,
  format('%s.%I', stxnamespace::regnamespace, stxname) as name,
  pg_get_statisticsobjdef(oid) as definition
from pg_catalog.pg_statistic_ext
