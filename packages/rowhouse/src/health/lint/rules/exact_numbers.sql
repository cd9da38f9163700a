-- level: note
-- why: A bigint or numeric holds what a JavaScript number rounds: 9007199254740993 arrives as
--   9007199254740992. @rowhouse/client reads such columns as strings; other clients do not.
-- do: Nothing where that is wanted, as for prices; else alter column ... type integer. Another
--   client asks for select=column::text.
-- cost: One line in all; every bigint key is one. Leave them: the client reads them as strings.
with recursive exact (type) as (
  select oid from pg_catalog.pg_type where oid in ('int8'::regtype, 'numeric'::regtype)
  union
  select derived.oid
  from exact
  join pg_catalog.pg_type as source on source.oid = exact.type
  join pg_catalog.pg_type as derived
    on derived.typtype = 'd' and derived.typbasetype = source.oid
    or derived.oid = source.typarray
)
select
  format('%s.%I', class.oid::regclass, attribute.attname) as object,
  format('the type of the column is %s', format_type(attribute.atttypid, null)) as finding
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
join exact on exact.type = attribute.atttypid
where class.relnamespace = any (:schemas::oid[])
and class.relkind in ('r', 'p', 'v', 'm', 'f')
and attribute.attnum > 0
and not attribute.attisdropped
