-- How much the planner may know of each column; null is the server's default. Up to
-- PostgreSQL 16 the catalog holds -1 for that.
select
  attribute.attrelid::regclass::text as table,
  quote_ident(attribute.attname) as column,
  nullif(attribute.attstattarget, -1) as target
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
where class.relkind in ('r', 'p')
and class.oid >= 16384
and attribute.attnum > 0
and not attribute.attisdropped
order by attribute.attrelid::regclass::text, attribute.attnum
