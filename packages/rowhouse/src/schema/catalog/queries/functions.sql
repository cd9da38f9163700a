select
  oid,
  'function' as kind,
  oid::regprocedure::text as name,
  case prokind when 'a' then 'aggregate' else pg_get_functiondef(oid) end as definition
from pg_catalog.pg_proc
