-- From statistics the planner estimates how many rows a filter finds, those of all users included, and
-- PostgREST returns that number to any caller (docs/adr/0005).
select
  class.oid,
  class.relnamespace as namespace,
  'statistics kept' as kind,
  format('%s.%I', class.oid::regclass, attribute.attname) as object,
  format('alter table %s alter column %I set statistics -1;', class.oid::regclass, attribute.attname) as sql
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
where class.relkind in ('r', 'p')
and attribute.attnum > 0
and not attribute.attisdropped
and attribute.attstattarget = 0
order by class.oid::regclass::text, attribute.attnum
