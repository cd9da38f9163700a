-- Every index that amcheck can look into, those of the system's own tables too.
select
  index.oid::int as oid,
  index.oid::regclass::text as name,
  method.amname as method
from pg_catalog.pg_class as index
join pg_catalog.pg_am as method on method.oid = index.relam
join pg_catalog.pg_index as entry on entry.indexrelid = index.oid
where index.relkind = 'i'
and index.relpersistence = 'p'
and entry.indisvalid
and method.amname in ('btree', 'gin')
order by index.oid
