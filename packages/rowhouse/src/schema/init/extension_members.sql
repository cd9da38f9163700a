-- What extensions bring that privileges can be held on, as ../plan/objects.sql names it.
select case when prokind = 'p' then 'procedure ' else 'function ' end || pg_proc.oid::regprocedure as name
from pg_catalog.pg_proc
join pg_catalog.pg_depend on classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
union all
select case relkind when 'S' then 'sequence ' else 'table ' end || pg_class.oid::regclass
from pg_catalog.pg_class
join pg_catalog.pg_depend on classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
union all
select 'type ' || pg_type.oid::regtype
from pg_catalog.pg_type
join pg_catalog.pg_depend on classid = 'pg_type'::regclass and objid = pg_type.oid and deptype = 'e'
