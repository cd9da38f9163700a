-- The views, each with its query and its options.
select
  class.oid,
  class.relnamespace as namespace,
  class.oid::regclass::text as name,
  pg_get_viewdef(class.oid) as query,
  coalesce(class.reloptions, '{}') as options
from pg_catalog.pg_class as class
where class.relkind = 'v'
order by name
