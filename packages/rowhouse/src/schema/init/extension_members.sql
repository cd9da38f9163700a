-- What extensions bring that privileges can be held on, as ../plan/objects.sql names it, and of which one it is.
with member as (
  select
    classid,
    objid,
    extname as extension
  from pg_catalog.pg_depend
  join pg_catalog.pg_extension on pg_extension.oid = refobjid
  where deptype = 'e'
  and refclassid = 'pg_catalog.pg_extension'::regclass
)
select
  case when prokind = 'p' then 'procedure ' else 'function ' end || pg_proc.oid::regprocedure as name,
  extension
from pg_catalog.pg_proc
join member on classid = 'pg_catalog.pg_proc'::regclass and objid = pg_proc.oid
union all
select
  case relkind when 'S' then 'sequence ' else 'table ' end || pg_class.oid::regclass,
  extension
from pg_catalog.pg_class
join member on classid = 'pg_catalog.pg_class'::regclass and objid = pg_class.oid
union all
select
  'type ' || pg_type.oid::regtype,
  extension
from pg_catalog.pg_type
join member on classid = 'pg_catalog.pg_type'::regclass and objid = pg_type.oid
