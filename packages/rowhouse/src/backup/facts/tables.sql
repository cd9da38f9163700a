-- What holds rows: partitions and not their parents, nothing of PostgreSQL or its extensions.
select format('%I.%I', namespace.nspname, class.relname) as name
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relkind = 'r'
and class.relpersistence = 'p'
and namespace.nspname <> 'information_schema'
and namespace.nspname !~ '^pg_'
and not exists (
  select from pg_catalog.pg_depend as member
  where member.classid = 'pg_catalog.pg_class'::regclass
  and member.objid = class.oid
  and member.deptype = 'e'
)
order by name
