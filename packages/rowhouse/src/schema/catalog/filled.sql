-- The tables that hold rows or held some, whatever row-level security hides.
select oid::regclass::text as name
from pg_catalog.pg_class
where relkind = 'r'
and oid >= 16384
and pg_relation_size(oid) > 0
and not exists (select from pg_catalog.pg_depend where objid = pg_class.oid and deptype = 'e')
order by 1
