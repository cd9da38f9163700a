select
  c.relname as table,
  array_agg(a.attname::text order by a.attnum) as columns
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid
where n.nspname = $1
and c.relkind in ('r', 'p', 'v', 'm', 'f')
and a.attnum > 0
and not a.attisdropped
group by c.relname
order by c.relname
